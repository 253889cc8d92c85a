"""Tables and lists of metrics as HTML text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

NAMES = {
    "popularity": "popularity",
    "segment": "popularity in segment",
    "item_knn": "item neighbours",
    "ease": "EASE",
    "als": "least squares (ALS)",
    "filter": "graph filter",
    "gnn": "trained GNN",
    "blend": "blend",
}

OF_SEGMENT = ", of the customer's segment where there is one"
"""What is to be said of popularity where that is served."""


def titled(figure: str) -> str:
    return figure.upper() if figure.startswith("ndcg") else figure.capitalize()


def named(name: str) -> str:
    return NAMES.get(name, name)


def with_interval(row: dict[str, Any], figure: str) -> str:
    return f"{row[figure]:.4f}{interval_text(row.get('interval', {}).get(figure))}"


def interval_text(interval: Sequence[float] | None) -> str:
    return f"<small>{interval[0]:.4f}–{interval[1]:.4f}</small>" if interval else ""


def figures_table(rows: dict[str, dict[str, Any]], names: dict[str, str] | None = None) -> str:
    """A table of what rows say, whatever it is: one column a figure."""
    rows = {name: row for name, row in rows.items() if row}
    if not rows:
        return "<p>Not measured.</p>"
    columns = list(dict.fromkeys(key for row in rows.values() for key in row))
    cells = [
        [escape((names or {}).get(name, named(name))), *[value_text(row.get(c, "")) for c in columns]]
        for name, row in rows.items()
    ]
    return html_table(["", *[escape(c) for c in columns]], [("", row) for row in cells])


def fact_list(facts: dict[str, Any], names: dict[str, str] | None = None) -> str:
    """Whatever was measured beside, as terms and values."""
    items = "".join(f"<dt>{escape((names or {}).get(k, k))}</dt><dd>{value_text(v)}</dd>" for k, v in facts.items())
    return f"<dl>{items}</dl>"


def value_text(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{escape(str(key))}: {value_text(part)}" for key, part in value.items())
    if isinstance(value, list):
        return ", ".join(value_text(part) for part in value)
    if value is None:
        return "unknown"
    return f"{value:.4g}" if isinstance(value, float) else escape(str(value))


def html_table(head: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]]) -> str:
    """Rows of (class, cells); cells are HTML already."""
    first = "".join(f"<th>{cell}</th>" for cell in head)
    rest = "".join(f'<tr class="{kind}">' + "".join(f"<td>{c}</td>" for c in cells) + "</tr>" for kind, cells in rows)
    return f'<div class="wide"><table><tr>{first}</tr>{rest}</table></div>'
