"""`bulkupdate` and `python -m bulkupdate`."""

import sys


def main() -> None:
    """The program. What is no error of ours is a bug: it is written to a file, and people get a sentence."""
    from bulkupdate.cli.main import run_cli

    sys.exit(run_cli())


if __name__ == "__main__":
    main()
