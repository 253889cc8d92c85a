"""Front matter of a template: the `//` lines at the top of its file.

    // name: target_group
    // title: Customers of a city who lack a product
    // purpose: Whom to offer the product to. A line that starts with
    //   three spaces or more continues the one before.
    // parameter city: text. The city, as the feed writes it.
    // parameter limit: integer = 1000 (1 to 100000). At most so many rows.
    // parameter order: text = "arpu" (arpu, city). What to order by.
    // parameter today: date = today. The day that 'current' is seen from.
    // column user: user. The customer's pseudonym.

A parameter is `type`, then `= default` (JSON, or `today` for a date) unless it must be given, then
the allowed values in brackets, then a full stop and the meaning.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, get_args

from cypher.types import EXPECTED, LISTS, Type, convert

TODAY = "today"
"""Default of a date parameter that stands for the product's today."""

_KEY = re.compile(r"^// (?P<key>[a-z]+)(?: (?P<subject>[a-z][a-z0-9_]*))?: (?P<rest>\S.*)$")
_SPEC = re.compile(
    r"^(?P<type>" + "|".join(sorted(get_args(Type), key=len, reverse=True)) + r")"
    r"(?: = (?P<default>\"[^\"]*\"|\[[^\]]*\]|[^\s(.]+(?:\.\d+)?))?"
    r"(?: \((?P<allowed>[^)]+)\))?\. (?P<meaning>.+)$"
)


class HeaderError(ValueError):
    """What is wrong with a front matter, in words that name the line's key."""


@dataclass(frozen=True)
class Parameter:
    """One `$parameter` of a template."""

    name: str
    type: str
    meaning: str
    required: bool = True
    default: Any = None
    values: tuple[Any, ...] = ()
    lowest: float | None = None
    highest: float | None = None

    @property
    def expected(self) -> str:
        """What a value may be, in words."""
        if self.values:
            return "one of " + ", ".join(str(v) for v in self.values)
        if self.lowest is not None:
            return f"{EXPECTED[self.type]} from {self.lowest:g} to {self.highest:g}"
        return EXPECTED[self.type]

    def to_json(self) -> dict[str, Any]:
        """As the lists of templates show it; `default` only where there is one, `allowed` in words."""
        shown: dict[str, Any] = {"name": self.name, "type": self.type, "required": self.required}
        if not self.required:
            shown["default"] = self.default.isoformat() if hasattr(self.default, "isoformat") else self.default
        return shown | {"allowed": self.expected, "meaning": self.meaning}

    def convert(self, value: Any, *, from_text: bool = False) -> Any:
        """The typed and allowed value. Raises ValueError in the words of `expected`."""
        found = convert(value, self.type, from_text=from_text)
        for item in found if isinstance(found, list) else [found]:
            if self.values and item not in self.values:
                raise ValueError(f"not {self.expected}")
            if self.lowest is not None and self.highest is not None and not self.lowest <= item <= self.highest:
                raise ValueError(f"not {self.expected}")
        return found


@dataclass(frozen=True)
class Column:
    """One column of a template's answer."""

    name: str
    type: str
    meaning: str


@dataclass(frozen=True)
class Header:
    name: str
    title: str
    purpose: str
    parameters: tuple[Parameter, ...]
    columns: tuple[Column, ...]


def parse(text: str) -> tuple[Header, str]:
    """Front matter and query of a template's text. Raises HeaderError."""
    lines = text.splitlines()
    end = next((i for i, line in enumerate(lines) if not line.startswith("//")), len(lines))
    said: dict[str, str] = {}
    parameters: dict[str, Parameter] = {}
    columns: dict[str, Column] = {}
    for line in _joined(lines[:end]):
        matched = _KEY.match(line)
        if matched is None:
            raise HeaderError(f"the line {line!r} is not `// key: value`")
        key, subject, rest = matched["key"], matched["subject"], matched["rest"]
        if key in ("name", "title", "purpose") and subject is None:
            taken: dict[str, Any] = said
            taken_as: Any = rest
            subject = key
        elif key == "parameter" and subject:
            taken, taken_as = parameters, _parameter(subject, rest)
        elif key == "column" and subject:
            taken, taken_as = columns, _column(subject, rest)
        else:
            raise HeaderError(f"unknown header key {key!r}; name, title, purpose, parameter NAME, column NAME exist")
        if subject in taken:
            raise HeaderError(f"{key} {subject} is given twice")
        taken[subject] = taken_as
    missing = [key for key in ("name", "title", "purpose") if key not in said] or ([] if columns else ["column"])
    if missing:
        raise HeaderError(f"the header has no {missing[0]}")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", said["name"]):
        raise HeaderError("a name has lower-case letters, digits and underscores")
    header = Header(**said, parameters=tuple(parameters.values()), columns=tuple(columns.values()))
    return header, "\n".join(lines[end:]).strip() + "\n"


def _joined(lines: list[str]) -> list[str]:
    joined: list[str] = []
    for line in lines:
        if line.startswith("//   ") and joined:
            joined[-1] += " " + line[2:].strip()
        elif line.rstrip() != "//":
            joined.append(line.rstrip())
    return joined


def _parameter(name: str, text: str) -> Parameter:
    matched = _SPEC.match(text)
    if matched is None or matched["type"] == "moment":
        raise HeaderError(f"parameter {name} is not `type = default (allowed). Meaning`")
    kind, allowed, default = matched["type"], matched["allowed"], matched["default"]
    lowest = highest = None
    values: tuple[Any, ...] = ()
    try:
        if allowed and " to " in allowed:
            lowest, highest = (float(bound) for bound in allowed.split(" to "))
        elif allowed:
            values = tuple(
                convert(value.strip(), LISTS.get(kind, kind), from_text=True) for value in allowed.split(",")
            )
        parameter = Parameter(name, kind, matched["meaning"], default is None, None, values, lowest, highest)
        if default is None or (default == TODAY and kind == "date"):
            value: Any = default
        else:
            value = parameter.convert(default if kind == "date" else json.loads(default))
    except (ValueError, KeyError):
        raise HeaderError(f"parameter {name} has a default or allowed values that are not {EXPECTED[kind]}") from None
    return Parameter(name, kind, parameter.meaning, parameter.required, value, values, lowest, highest)


def _column(name: str, text: str) -> Column:
    matched = _SPEC.match(text)
    if matched is None or matched["default"] or matched["allowed"]:
        raise HeaderError(f"column {name} is not `type. Meaning`")
    return Column(name, matched["type"], matched["meaning"])
