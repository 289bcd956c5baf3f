"""`bulkupdate` and `python -m bulkupdate`."""

import gc
import sys


def main() -> None:
    """The program. What is no error of ours is a bug: it is written to a file, and people get a sentence."""
    from bulkupdate.cli.main import run_cli

    exit_code = run_cli()
    gc.freeze()  # all is closed: looking through every object of pandas once more takes a tenth of a second
    sys.exit(exit_code)


if __name__ == "__main__":
    main()
