"""All templates, read from `cypher/<group>/*.cypher` and checked as a whole."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cypher.header import Column, HeaderError, Parameter, parse
from lake.errors import QueryRefused, UnknownName

FOLDER = Path(__file__).parent

_STRINGS_AND_COMMENTS = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|`[^`]*`|//[^\n]*|/\*.*?\*/", re.DOTALL)
_PARAMETER = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")


@dataclass(frozen=True)
class Template:
    """One query with what its front matter says of it."""

    name: str
    group: str
    title: str
    purpose: str
    parameters: tuple[Parameter, ...]
    columns: tuple[Column, ...]
    cypher: str
    text: str

    def to_json(self) -> dict[str, Any]:
        """What the lists of templates show."""
        return {
            "name": self.name,
            "group": self.group,
            "title": self.title,
            "purpose": self.purpose,
            "parameters": [parameter.to_json() for parameter in self.parameters],
            "columns": [{"name": c.name, "type": c.type, "meaning": c.meaning} for c in self.columns],
        }

    def parameter(self, name: str) -> Parameter:
        """The parameter of that name. Raises UnknownName listing those that exist."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        exist = ", ".join(p.name for p in self.parameters) or "none"
        raise UnknownName(f"template {self.name} has no parameter {name!r}", f"it has {exist}")


def load(folder: Path = FOLDER) -> dict[str, Template]:
    """Every template below `folder` by name, in the order of group and name.

    Raises QueryRefused, naming the file, for a front matter that does not parse, a name given twice,
    a parameter declared and not used or used and not declared, and a query without RETURN.
    """
    found: dict[str, Template] = {}
    for path in sorted(folder.glob("*/*.cypher")):
        template = _read(path)
        if template.name in found:
            raise QueryRefused(
                f"template {template.name} exists in {found[template.name].group}/ and in {template.group}/",
                "give one of them another name",
            )
        found[template.name] = template
    return found


def find(name: str, catalogue: Mapping[str, Template] | None = None) -> Template:
    """The template of that name. Raises UnknownName with the nearest names."""
    catalogue = load() if catalogue is None else catalogue
    if name in catalogue:
        return catalogue[name]
    near = difflib.get_close_matches(name, catalogue, n=3, cutoff=0.4) or sorted(catalogue)[:3]
    raise UnknownName(
        f"there is no template {name!r}", f"the nearest are {', '.join(near)}; `dumbbell template list` shows all"
    )


def _read(path: Path) -> Template:
    text = path.read_text(encoding="utf-8")
    where = f"{path.parent.name}/{path.name}"
    try:
        header, query = parse(text)
    except HeaderError as error:
        raise QueryRefused(f"{where}: {error}", "mend the lines at the top of the file") from None
    if header.name != path.stem:
        raise QueryRefused(f"{where} calls itself {header.name}", "file and template have one name")
    bare = _STRINGS_AND_COMMENTS.sub(" ", query)
    used, declared = set(_PARAMETER.findall(bare)), {p.name for p in header.parameters}
    if used != declared:
        wrong = sorted(used ^ declared)[0]
        how = "used but not declared" if wrong in used else "declared but not used"
        raise QueryRefused(f"{where}: parameter {wrong} is {how}", "declare exactly the parameters of the query")
    if not re.search(r"\bRETURN\b", bare):
        raise QueryRefused(f"{where} returns nothing", "end the query with RETURN")
    return Template(
        header.name,
        path.parent.name,
        header.title,
        header.purpose,
        header.parameters,
        header.columns,
        query,
        text,
    )
