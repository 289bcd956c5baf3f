"""What a dry run suggests next."""

from __future__ import annotations

import subprocess


def test_the_suggested_command_can_be_pasted_whatever_the_file_is_called(run_program, tmp_path):
    name = "a';touch PWN;'$(touch PWN).csv"
    (tmp_path / name).write_text("CustomerId,Name\n1,x\n2,y\n2,z\n")
    for arguments in (["check", name], ["run", name, "--yes"]):
        done = run_program(*arguments)
        command = done.told["next"].replace("bulkupdate", "printf '%s\\n'", 1)
        pasted = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert name in pasted.stdout.splitlines()
        assert done.told["next"] in done.err
    assert not (tmp_path / "PWN").exists()
