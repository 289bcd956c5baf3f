"""Write the JSON Schema of `--json` from the types of its objects: `python docs/json_schema.py`. A test compares it."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

from bulkupdate.cli.command_objects import (
    DeletedRecipeObject,
    DoctorObject,
    EventObject,
    FactsObject,
    PurgeObject,
    RecipeObject,
    StoreObject,
    TemplateObject,
)
from bulkupdate.nightly.night_report import NightObject
from bulkupdate.runs.reporting.json_objects import JSON_SCHEMA, ExportObject, HistoryObject, MatchObject, RunObject

PATH = Path(__file__).parents[1] / "bulkupdate" / "json_output.schema.json"

COMMANDS: dict[str, Any] = {
    **dict.fromkeys(("check", "resume", "retry", "run", "show", "stop", "undo"), RunObject),
    "audit": list[EventObject],
    "doctor": DoctorObject | FactsObject,
    "export": ExportObject,
    "history": HistoryObject,
    "match": MatchObject,
    "nightly": NightObject,
    "purge": PurgeObject,
    "recipes": list[RecipeObject] | RecipeObject | DeletedRecipeObject,
    "runs": list[RunObject],
    "store": StoreObject,
    "template": TemplateObject,
}
"""What a command prints if it succeeds; one that fails prints the object of a run, and `nightly` that of each file."""

_SIMPLE = {bool: "boolean", int: "integer", str: "string", NoneType: "null"}


def make_schema() -> dict[str, Any]:
    """Return the schema: `#/$defs/NAME` for each command, and for each object."""
    objects: dict[str, Any] = {}
    commands = {}
    for name, result in sorted(COMMANDS.items()):
        commands[name] = {"anyOf": [_describe(each, objects) for each in dict.fromkeys((result, RunObject))]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"What bulkupdate prints with --json, version {JSON_SCHEMA}",
        "description": "One object, or a list; nightly prints one object a line. New keys may be added.",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in commands],
        "$defs": commands | dict(sorted(objects.items())),
    }


def _describe(type_: Any, objects: dict[str, Any]) -> dict[str, Any]:
    origin, arguments = get_origin(type_), get_args(type_)
    if type_ is object:
        return {}
    if origin is Annotated:
        return _describe(arguments[0], objects) | {"format": arguments[1]}
    if origin is NotRequired:
        return _describe(arguments[0], objects)
    if origin in (Union, UnionType):
        return {"anyOf": [_describe(each, objects) for each in arguments]}
    if origin is Literal:
        return {"const": arguments[0]}
    if origin is list:
        return {"type": "array", "items": _describe(arguments[0], objects)}
    if origin is dict:
        return {
            "type": "object",
            "propertyNames": _describe(arguments[0], objects),
            "additionalProperties": _describe(arguments[1], objects),
        }
    if is_typeddict(type_):
        return _describe_object(type_, objects)
    if issubclass(type_, Enum):
        return {"enum": [each.value for each in type_]}
    return {"type": _SIMPLE[type_]}


def _describe_object(type_: Any, objects: dict[str, Any]) -> dict[str, Any]:
    name = type_.__name__.removesuffix("Object")
    if name not in objects:
        objects[name] = {"type": "object"}
        hints = get_type_hints(type_, include_extras=True)
        if type_.__doc__:
            objects[name]["description"] = " ".join(type_.__doc__.split())
        objects[name]["properties"] = {key: _describe(hint, objects) for key, hint in hints.items()}
        objects[name]["required"] = [key for key, hint in hints.items() if get_origin(hint) is not NotRequired]
        if "schema" in hints:
            objects[name]["properties"]["schema"] = {"const": JSON_SCHEMA}
    return {"$ref": f"#/$defs/{name}"}


def format_schema() -> str:
    """Return the text of the file."""
    return json.dumps(make_schema(), indent=1) + "\n"


if __name__ == "__main__":
    PATH.write_text(format_schema(), encoding="utf-8")
