"""How a feed is declared: its columns with their types, bounds, keys and defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

Type = Literal[
    "number",  # a telephone number: becomes a pseudonym
    "hashed",  # any text: becomes a pseudonym (`person`, `account`)
    "id",
    "handset",  # a TAC or a model id; an IMEI is cut to its TAC
    "text",
    "date",
    "moment",
    "date or moment",
    "month",
    "integer",
    "decimal",
    "boolean",
    "choice",
    "list",  # of identifiers, separated by `;`
    "url",
    "condition",
]

ARROW: dict[str, pa.DataType] = {
    "number": pa.binary(),
    "hashed": pa.binary(),
    "date": pa.date32(),
    "moment": pa.timestamp("us"),
    "date or moment": pa.timestamp("us"),
    "integer": pa.int64(),
    "decimal": pa.float64(),
    "boolean": pa.bool_(),
    "list": pa.list_(pa.string()),
}


@dataclass(frozen=True)
class Column:
    """One column of a feed.

    `default` is the value when absent; `allowed` the choices, `low` and `high` the bounds (both
    included) of a number; `of` the feed whose key this identifier is.
    """

    name: str
    type: Type
    required: bool = False
    key: bool = False
    default: str | int | bool | None = None
    allowed: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    of: str | None = None
    doc: str = ""

    @property
    def lake_name(self) -> str:
        """The column's name in the lake: a customer's `number` is kept as `user`."""
        return "user" if self.name == "number" else self.name

    @property
    def arrow(self) -> pa.DataType:
        return ARROW.get(self.type, pa.string())


@dataclass(frozen=True)
class Feed:
    """One feed: its columns in the lake's order. An event feed has no key and is kept by month."""

    name: str
    columns: tuple[Column, ...]
    event: bool = False
    doc: str = ""

    @property
    def key(self) -> list[str]:
        """Names of the key's columns in the lake; empty for an event feed."""
        return [c.lake_name for c in self.columns if c.key]

    @property
    def schema(self) -> pa.Schema:
        """The table's schema in the lake: an event's `at` is followed by its local `day` and `hour`."""
        fields = []
        for column in self.columns:
            fields.append(pa.field(column.lake_name, column.arrow))
            if self.event and column.name == "at":
                fields += [pa.field("day", pa.date32()), pa.field("hour", pa.uint8())]
        return pa.schema(fields)

    def column(self, name: str) -> Column:
        """The column of that name in the feed. Raises KeyError."""
        return next(c for c in self.columns if c.name == name) if name in self.names else _unknown(self.name, name)

    @property
    def names(self) -> list[str]:
        return [c.name for c in self.columns]


def _unknown(feed: str, name: str) -> Column:
    raise KeyError(f"{feed} has no column {name}")
