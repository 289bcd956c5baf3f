"""`doctor`."""

from __future__ import annotations

from bulkupdate.errors import ExitCode


def test_doctor_tells_what_is_well_and_what_is_not(run_program, sandbox):
    well = run_program("doctor")
    assert well.exit_code == ExitCode.DONE
    assert (well.told["journal"]["ok"], well.told["service"]["ok"]) == (True, True)
    refused = run_program("doctor", password="wrong")
    assert (refused.exit_code, refused.told["service"]["ok"]) == (ExitCode.STOPPED, False)
    missing = run_program("doctor", base_url="", username="")
    assert missing.exit_code == ExitCode.USAGE
    assert "BULKUPDATE_USERNAME" in missing.err


def test_doctor_names_a_state_folder_that_is_none(run_program, tmp_path):
    (tmp_path / "file").write_text("")
    answer = run_program("doctor", state_dir=tmp_path / "file")
    assert answer.exit_code == ExitCode.USAGE
    assert str(tmp_path / "file") in answer.err
