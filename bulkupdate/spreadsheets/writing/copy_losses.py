"""What an annotated copy lacks, as openpyxl does not copy it."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

_CONTROLS = "buttons and other controls"
_BY_PART = {
    r"xl/slicers/": "slicers",
    r"xl/timelines/": "timelines",
    r"xl/(ctrlProps|activeX)/": _CONTROLS,
    r"xl/diagrams/": "SmartArt",
    r"xl/embeddings/": "embedded objects",
    r"xl/threadedComments/": "threaded comments",
    r"xl/charts/chartEx|xl/chartEx/": "newer kinds of charts",
    r"xl/richData/": "pictures in cells and linked data types",
    r"xl/(connections\.xml|queryTables/|model/)": "connections to external data",
}
_DROP_DOWNS = "drop-down lists that take their entries from another sheet"
_FORMATS = "data bars, icon sets and other newer conditional formatting"
_BY_EXTENSION = {
    b"CCE6A557-97BC-4B89-ADB6-D9C93CAAB3DF": _DROP_DOWNS,
    b"78C0D931-6437-407D-A8EE-F0AAD7539E65": _FORMATS,
    b"B025F937-C7B1-47D3-B67F-A62EFF666E3E": _FORMATS,
    b"05C60535-1F16-4FD2-B633-F4F36F0B64E0": "sparklines",
    b"A8765BA9-456A-4DAB-B4F3-ACF838C121DE": "slicers",
    b"7E03D99C-DC04-49D9-9315-930204A7B6E9": "timelines",
}
_EXTENSION = re.compile(rb"uri=[\"']\{([0-9A-Fa-f-]{36})\}")
_SHAPE = re.compile(rb"<(?:\w+:)?(?:sp|cxnSp|grpSp)[ >]")
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
_DRAWING = re.compile(r"xl/drawings/[^/]+\.xml")
_CONTROL = re.compile(rb"ObjectType=\"(?!Note\")")
_OLD_DRAWING = re.compile(r"xl/drawings/[^/]+\.vml")


def list_losses(source: Path) -> list[str]:
    """Return, in words, the kinds of contents of the workbook that its annotated copy lacks.

    Raises what `zipfile` raises if the package cannot be read.
    """
    with zipfile.ZipFile(source) as package:
        return sorted(set(_find_losses(package)))


def _find_losses(package: zipfile.ZipFile) -> Iterator[str]:
    for name in package.namelist():
        yield from (loss for pattern, loss in _BY_PART.items() if re.match(pattern, name))
        if _SHEET.fullmatch(name):
            found = {uri.upper() for uri in _EXTENSION.findall(package.read(name))}
            yield from (loss for uri, loss in _BY_EXTENSION.items() if uri in found)
        elif _DRAWING.fullmatch(name) and _SHAPE.search(package.read(name)):
            yield "text boxes and shapes"
        elif _OLD_DRAWING.fullmatch(name) and _CONTROL.search(package.read(name)):
            yield _CONTROLS
