"""As much of JSON Schema 2020-12 as the API is described in. A keyword that is not known here is a mistake, not a pass."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

Schema = dict[str, Any]

_SAID = {"description", "examples", "example", "default", "title"}
_TYPES: dict[str, Any] = {
    "string": str,
    "array": list,
    "object": dict,
    "null": type(None),
    "boolean": bool,
    "integer": int,
    "number": (int, float),
}


class Validator:
    """``document`` holds what the schemas refer to."""

    def __init__(self, document: Schema) -> None:
        self._document = document
        self._judges = {
            "type": self._type,
            "const": lambda wanted, value: [] if _same(value, wanted) else [f"must be {wanted!r}"],
            "enum": lambda wanted, value: [] if any(_same(value, each) for each in wanted) else [f"must be one of {wanted}"],
            "minLength": lambda least, value: _if(isinstance(value, str) and len(value) < least, f"is shorter than {least}"),
            "maxLength": lambda most, value: _if(isinstance(value, str) and len(value) > most, f"is longer than {most}"),
            "pattern": lambda pattern, value: _if(isinstance(value, str) and not _found(pattern, value), f"does not match {pattern}"),
            "minimum": lambda least, value: _if(_is_number(value) and value < least, f"is less than {least}"),
            "maximum": lambda most, value: _if(_is_number(value) and value > most, f"is more than {most}"),
            "format": self._format,
            "items": self._items,
            "required": self._required,
            "properties": self._properties,
            "propertyNames": self._property_names,
            "allOf": lambda each, value: [problem for schema in each for problem in self.problems(schema, value)],
            "anyOf": lambda each, value: _if(not self._fitting(each, value), "fits none of anyOf"),
            "oneOf": lambda each, value: _if(self._fitting(each, value) != 1, "does not fit exactly one of oneOf"),
            "not": lambda schema, value: _if(not self.problems(schema, value), "fits what it must not"),
        }

    def resolved(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            found: Any = self._document
            for step in schema["$ref"][2:].split("/"):
                found = found[step.replace("~1", "/").replace("~0", "~")]
            schema = {**found, **{name: value for name, value in schema.items() if name != "$ref"}}
        return schema

    def problems(self, schema: Schema, value: Any, path: str = "$") -> list[str]:
        schema = self.resolved(schema)
        found = []
        for keyword, wanted in schema.items():
            if keyword == "additionalProperties":
                found += self._further(schema, wanted, value)
            elif keyword not in _SAID:
                found += self._judges[keyword](wanted, value)
        return [path + problem[1:] if problem.startswith("$.") else f"{path}: {problem}" for problem in found]

    def _type(self, wanted: Any, value: Any) -> list[str]:
        types = wanted if isinstance(wanted, list) else [wanted]
        fits = any(isinstance(value, _TYPES[each]) and (each == "boolean" or not isinstance(value, bool)) for each in types)
        return _if(not fits, f"must be {wanted}, is {type(value).__name__}")

    def _format(self, wanted: str, value: Any) -> list[str]:
        if wanted != "date-time":
            return _if(wanted != "password", f"unknown format {wanted}")
        try:
            return _if(isinstance(value, str) and datetime.fromisoformat(value.replace("Z", "+00:00")).tzinfo is None, "has no offset")
        except ValueError:
            return ["is no time"]

    def _items(self, schema: Schema, value: Any) -> list[str]:
        if not isinstance(value, list):
            return []
        return [problem for at, each in enumerate(value) for problem in self.problems(schema, each, f"$.{at}")]

    def _required(self, names: list[str], value: Any) -> list[str]:
        return [f"{name} is missing" for name in names if isinstance(value, dict) and name not in value]

    def _properties(self, properties: Schema, value: Any) -> list[str]:
        if not isinstance(value, dict):
            return []
        known = [name for name in properties if name in value]
        return [problem for name in known for problem in self.problems(properties[name], value[name], f"$.{name}")]

    def _property_names(self, schema: Schema, value: Any) -> list[str]:
        return [problem for name in value for problem in self.problems(schema, name)] if isinstance(value, dict) else []

    def _further(self, schema: Schema, wanted: Any, value: Any) -> list[str]:
        further = [name for name in value if name not in schema.get("properties", {})] if isinstance(value, dict) else []
        if isinstance(wanted, bool):
            return [f"{name} is not known" for name in further if not wanted]
        return [problem for name in further for problem in self.problems(wanted, value[name], f"$.{name}")]

    def _fitting(self, schemas: list[Schema], value: Any) -> int:
        return sum(not self.problems(schema, value) for schema in schemas)


def _if(wrong: bool, problem: str) -> list[str]:
    return [problem] if wrong else []


def _same(value: Any, other: Any) -> bool:
    return type(value) is type(other) and value == other


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _found(pattern: str, text: str) -> bool:
    # Python's $ also stands before a last line break; ECMA 262's does not.
    return re.search(re.sub(r"(?<!\\)\$", r"\\Z", pattern), text) is not None
