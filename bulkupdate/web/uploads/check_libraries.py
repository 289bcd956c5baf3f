"""Load all that a check needs: it is imported once, in the process that checks are forked from."""

from __future__ import annotations

import gc

import pandera.backends.pandas.builtin_checks
import pandera.backends.pandas.register  # noqa: F401  # pandera loads these at its first use, which is in each fork

import bulkupdate.spreadsheets.writing.annotated_copy
import bulkupdate.web.uploads.check_worker  # noqa: F401

gc.freeze()  # forks neither look through what is loaded nor copy it
