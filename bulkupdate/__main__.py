"""`bulkupdate` and `python -m bulkupdate`."""

import gc
import os
import sys


def main() -> None:
    """The program. What is no error of ours is a bug: it is written to a file, and people get a sentence."""
    sys.modules.setdefault("hypothesis", None)  # type: ignore[arg-type]  # pandera would load it, if only for tests
    from bulkupdate.cli.main import run_cli

    exit_code = run_cli()
    _let_go_of_closed_streams()
    gc.freeze()  # all is closed: looking through every object of pandas once more takes a tenth of a second
    sys.exit(exit_code)


def _let_go_of_closed_streams() -> None:
    """Whoever read our output may be gone: what could not be written must not make the exit code Python's own 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    main()
