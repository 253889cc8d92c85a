"""The templates' page, written from their front matter: `python -m cypher.docs` renews docs/templates.md."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from cypher.catalogue import Template, load
from cypher.header import TODAY, Parameter

PAGE = Path(__file__).parent.parent / "docs" / "templates.md"

_HEAD = """# Templates

Questions that marketers ask of the graph, each one file under `cypher/`. Run one with
`dumbbell template run NAME --param name=value`, over HTTP with `POST /v1/templates/NAME`, or paste the file into a
Neo4j browser and set its `$parameters`. A list is `name=a,b` or `name=@FILE` (one item a line). Nothing here writes.
Lists of customers leave out those who do not consent, those who have left, machines and service numbers.
Counts leave them out as well, where they speak of customers; how small a counted group is does not matter, as the
answers stay with the operator, who may list the same customers. Who passes counts on takes small groups out first.

This page is made from the front matter of the files (`python -m cypher.docs`).
"""


def page(templates: Iterable[Template]) -> str:
    """The page's Markdown."""
    parts = [_HEAD]
    for group, members in groupby(sorted(templates, key=lambda t: (t.group, t.name)), key=lambda t: t.group):
        parts.append(f"## {group}\n")
        parts.extend(_section(template) for template in members)
    return "\n".join(parts)


def _section(template: Template) -> str:
    lines = [f"### {template.name}", "", f"**{template.title}.** {template.purpose}", ""]
    if template.parameters:
        lines += ["| parameter | type | default | meaning |", "|---|---|---|---|"]
        lines += [
            f"| `{p.name}` | {p.type}{_allowed(p)} | {_default(p)} | {_cell(p.meaning)} |" for p in template.parameters
        ]
        lines.append("")
    lines += ["| column | type | meaning |", "|---|---|---|"]
    lines += [f"| `{c.name}` | {c.type} | {_cell(c.meaning)} |" for c in template.columns]
    return "\n".join([*lines, ""])


def _default(parameter: Parameter) -> str:
    if parameter.required:
        return "must be given"
    if parameter.default == TODAY:
        return "today"
    return f"`{parameter.default}`"


def _allowed(parameter: Parameter) -> str:
    if parameter.values:
        return " (" + ", ".join(str(v) for v in parameter.values) + ")"
    if parameter.lowest is not None:
        return f", {parameter.lowest:.0f} to {parameter.highest:.0f}"
    return ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(load().values()), encoding="utf-8")
    sys.stderr.write(f"{PAGE} written\n")
