"""Match large XML by a pattern, to be certain how it is written before it is searched for tokens."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc


def matches(pattern: str, xml: bytes) -> bool:
    """Return whether a pattern (RE2) is found in XML.

    pyarrow looks at each byte once, without Python's lock, and nothing is copied.
    """
    offsets = pa.array([0, len(xml)], pa.int32()).buffers()[1]
    text = pa.Array.from_buffers(pa.binary(), 1, [None, offsets, pa.py_buffer(xml)])
    found: bool = pc.match_substring_regex(text, pattern)[0].as_py()
    return found
