"""`bulkupdate` and `python -m bulkupdate`."""

import gc
import os
import sys
import warnings

from bulkupdate.cli.main import run_cli
from bulkupdate.cli.streams import protect_streams
from bulkupdate.garbage import collect_rarely


def main() -> None:
    """Run the program and exit with its exit code."""
    collect_rarely()
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # pyarrow's own pool keeps a tenth more memory
    protect_streams()
    sys.modules.setdefault("hypothesis", None)  # type: ignore[arg-type]  # pandera would load it, though only tests use it
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # the warnings of libraries mean nothing to the user
    exit_code = run_cli()
    gc.freeze()  # all is closed: a last collection of pandas' objects takes a tenth of a second
    sys.exit(exit_code)


if __name__ == "__main__":
    main()
