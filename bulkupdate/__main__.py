"""`bulkupdate` and `python -m bulkupdate`."""

import gc
import sys
import warnings


def main() -> None:
    """Run the program. An error that is not ours is a bug: it is written to a file, and people get a sentence."""
    sys.modules.setdefault("hypothesis", None)  # type: ignore[arg-type]  # pandera would load it, if only for tests
    from bulkupdate.cli.streams import mend_streams

    mend_streams()
    from bulkupdate.cli.main import run_cli

    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # a library's words mean nothing to the user
    exit_code = run_cli()
    gc.freeze()  # all is closed: looking through every object of pandas once more takes a tenth of a second
    sys.exit(exit_code)


if __name__ == "__main__":
    main()
