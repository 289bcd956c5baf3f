"""Messages in the words of the page: without options of the command line, settings, and paths of the server."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

_HOW_TO_READ = "under “How to read the file” and upload it again"
_ARGUMENT = r"(?:\"[^\"]*\"|'[^']*'|[^\s\"']*?)"
_REPLACEMENTS = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (
            rf", map (?:it|them) with --map {_ARGUMENT}, or ignore (?:it|them) with --ignore-unknown\.",
            f", or tick “Ignore columns that are not customer fields” {_HOW_TO_READ}.",
        ),
        (
            r"`bulkupdate template` writes a sheet with every heading\.",
            "The template on the start page has every heading.",
        ),
        (rf", or say which one it is: --map {_ARGUMENT}\.", "."),
        (rf"found by e-mail: --key {_ARGUMENT}\.", "found by e-mail: name that column below."),
        (r"`check --live` shows it", "“Show before and after” on the page of the sheet shows it"),
        (r"Name one of its columns with --key", "Choose one of its columns"),
        (
            r"`bulkupdate export [^`]*` reads them once\. Give that file, or a list of your own with (the columns .*): "
            r"--lookup \S+\.",
            r"Upload a lookup sheet as well, with \1.",
        ),
        (r"use --decimal ,", f"choose “comma” {_HOW_TO_READ}"),
        (r"; or decide for the whole file: --numbers \w+ or --numbers \w+", "; or decide for the whole sheet above"),
        (r"(?:Say which one is meant|Name one of them): `--sheet [^`]*`", f"Name the sheet {_HOW_TO_READ}"),
        (r"name it: `--sheet [^`]*`", f"name it {_HOW_TO_READ}"),
        (r"name another sheet with --sheet", f"name another sheet {_HOW_TO_READ}"),
        (
            r"name (?:its|the) encoding(?: of the file)?,?(?: for example| with)? --encoding"
            r"(?: \S+(?<![.,;]))?(?: \([^)]*\) or \w+ \([^)]*\))?",
            f"choose its encoding {_HOW_TO_READ}",
        ),
        (r"Omit --encoding", f"Choose “detect” as its encoding {_HOW_TO_READ}"),
        (r"use --encoding (\w+)", rf"choose the encoding \1 {_HOW_TO_READ}"),
        (r"probe it again\. The command: `[^`]*`", "your administrator should probe it again."),
        (r",? or raise the limit: BULKUPDATE_\w+(?:, [^.]*)?", ""),
    )
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_NOT_FOR_THE_PAGE = re.compile(
    r"(?<!\w)--[a-z]|BULKUPDATE_|`bulkupdate|\bHTTPS?_PROXY|REQUESTS_CA_BUNDLE|bulkupdate\.toml"
)


@lru_cache(maxsize=4096)
def say_on_page(text: str, *folders: Path) -> str:
    """Return a message in the words of the page; paths in these folders are left out.

    A sentence that still names an option or a setting is left out: no user of the page can follow it.
    """
    for pattern, replacement in _REPLACEMENTS:
        text = pattern.sub(replacement, text)
    for folder in folders:
        text = re.sub(rf"\s?{re.escape(str(folder))}(?:/[^\s,:;]*[^\s,:;.])?", "", text)
    sentences = _SENTENCE.split(text)
    return " ".join(sentence for sentence in sentences if not _NOT_FOR_THE_PAGE.search(sentence))
