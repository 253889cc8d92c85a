"""What a caller gives, as the typed parameters of a template: from `--param k=v`, or from a JSON body."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cypher.catalogue import Template
from cypher.header import TODAY, Parameter
from cypher.types import LISTS
from lake.errors import BadValue


def parse_options(template: Template, pairs: Iterable[str], today: dt.date | None = None) -> dict[str, Any]:
    """Parameters of `--param` texts: `k=v`, a list as `k=a,b` or `k=@FILE` (one item a line).

    `today` is what date parameters have by default (the clock's without it).
    Raises UnknownName for a parameter the template has not, BadValue for a value of another type.
    """
    given: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise BadValue("a parameter is not of the form name=value", "write --param name=value")
        parameter = template.parameter(name)
        if name in given:
            raise BadValue(f"parameter {name} is given twice", "give it once; a list is k=a,b or k=@FILE")
        given[name] = _listed(parameter, text) if parameter.type in LISTS else text
    return _typed(template, given, today, from_text=True)


def parse_json(template: Template, given: Mapping[str, Any], today: dt.date | None = None) -> dict[str, Any]:
    """Every parameter of the template, typed: those given, else their defaults.

    Raises UnknownName for a name the template has not, and BadValue, naming the parameter and what
    it may be (never the value), for one missing or of another type. `null` stands for "not given".
    """
    return _typed(template, given, today, from_text=False)


def _typed(template: Template, given: Mapping[str, Any], today: dt.date | None, *, from_text: bool) -> dict[str, Any]:
    for name in given:
        template.parameter(name)
    typed: dict[str, Any] = {}
    for parameter in template.parameters:
        value = given.get(parameter.name)
        if value is None:
            if parameter.required:
                raise BadValue(
                    f"template {template.name} needs the parameter {parameter.name}",
                    f"give {parameter.name}: {parameter.expected}",
                )
            typed[parameter.name] = (today or dt.date.today()) if parameter.default == TODAY else parameter.default
            continue
        try:
            typed[parameter.name] = parameter.convert(value, from_text=from_text)
        except ValueError as error:
            raise BadValue(f"parameter {parameter.name} is {error}", f"give {parameter.expected}") from None
    return typed


def _listed(parameter: Parameter, text: str) -> list[str]:
    if not text.startswith("@"):
        return [item.strip() for item in text.split(",") if item.strip()]
    try:
        lines = Path(text[1:]).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise BadValue(
            f"the file of parameter {parameter.name} cannot be read", "name a text file with one item a line"
        ) from None
    return [line.strip() for line in lines if line.strip()]
