"""The settings file as text: a sample with every setting, and changes that keep all other lines."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bulkupdate.errors import UsageError
from bulkupdate.redaction import Secret
from bulkupdate.setting_section import Section
from bulkupdate.settings import CONFIG_NAME, SETTINGS, default_of
from bulkupdate.settings_sources import read_settings_text

_SAMPLE_HEAD = f"""\
# {CONFIG_NAME}: settings of bulkupdate. Put it in your working folder, or where `bulkupdate setup` puts it.
# To change a setting, remove the # before it. Shown are the defaults; "" means: not set.
"""

Value = str | bool | int | float


def format_sample() -> str:
    """Return a settings file with every setting as a comment."""
    lines = [_SAMPLE_HEAD.rstrip()]
    for section in Section:
        lines.append(f"\n# ---- {section} ----\n")
        for setting in SETTINGS:
            if setting.metadata["section"] is section:
                lines += [
                    f"# {setting.metadata['help']}",
                    f"#{format_setting(setting.name, _sample_value(setting.name))}\n",
                ]
    return "\n".join([*lines, "# Your own headings.", "#[map]", '#Kundennr = "CustomerId"\n'])


def format_setting(name: str, value: Value) -> str:
    """Return a line of the file. A text is written as JSON does, which TOML reads too."""
    return f"{name} = {json.dumps(value, ensure_ascii=False).replace(chr(127), chr(92) + 'u007f')}"


def _sample_value(name: str) -> Value:
    default: Any = default_of(name)
    return "" if isinstance(default, Secret) else str(default) if isinstance(default, Path) else default


def change_settings(path: Path, changes: Mapping[str, Value | None]) -> str:
    """Return the text of the file with these settings set, or removed if None. The file need not exist.

    All other lines and settings stay. Raises `UsageError` if the file cannot be read or changed.
    """
    text = read_settings_text(path) if path.exists() else ""
    changed = "\n".join(_change_lines(text, changes)) + "\n"
    expected = {name: value for name, value in {**_parse(text, path), **changes}.items() if value is not None}
    if _parse(changed, path) != expected:
        raise UsageError(
            f"{path} cannot be changed: one of its settings spans several lines.",
            remedy="Write each setting on a line of its own, or name another file with --config.",
        )
    return changed


def _change_lines(text: str, changes: Mapping[str, Value | None]) -> Iterator[str]:
    lines = text.splitlines()
    end = next((at for at, line in enumerate(lines) if line.lstrip().startswith("[")), len(lines))
    named = re.compile(rf"\s*({'|'.join(map(re.escape, changes))})\s*=")
    yield from (line for line in lines[:end] if not named.match(line))
    yield from (format_setting(name, value) for name, value in changes.items() if value is not None)
    yield from lines[end:]


def _parse(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        raise UsageError(
            f"{path} is not valid TOML, so it was not changed.",
            remedy="Correct it, or name another file with --config.",
        ) from None
