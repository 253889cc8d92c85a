"""Which nodes the lake's tables ask for: the rows of each feed, and what other feeds name beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from graph.questions import answers, questions
from graph.tags import tags
from lake.tables import Lake
from lake.use import APP_USE


@dataclass(frozen=True)
class Nodes:
    """One label: its key, the tables it is made from, and how. The key is the first column, the others properties."""

    label: str
    key: str
    inputs: tuple[str, ...]
    wanted: Callable[[Lake], pa.Table]

    @property
    def part(self) -> str:
        """Its name in the state of the graph."""
        return self.label


def feed_nodes(feed: str, key: str, *named_by: tuple[str, str]) -> Callable[[Lake], pa.Table]:
    """Rows of a keyed feed, and nodes of the key alone for identifiers that only other tables name.

    `named_by` are (table, column) pairs; a column may be a list.
    """

    def wanted(lake: Lake) -> pa.Table:
        table = lake.read(feed) if lake.has(feed) else pa.table({key: pa.array([], pa.string())})
        table = table.select([key, *(name for name in table.column_names if name != key)])
        known = [_distinct(lake, name, column) for name, column in named_by if lake.has(name)]
        names = pc.unique(pa.chunked_array(known, pa.string())).drop_null() if known else pa.array([], pa.string())
        dangling = names.filter(pc.invert(pc.is_in(names, value_set=table[key].combine_chunks())))
        alone = pa.table({key: dangling})
        return pa.concat_tables([table, alone], promote_options="default").sort_by(key).combine_chunks()

    return wanted


def _distinct(lake: Lake, table: str, column: str) -> pa.Array:
    """The values of a column, each once."""
    scanned = lake.scan(table)
    values = (
        scanned[column].unnest() if isinstance(scanned[column].type(), ibis.expr.datatypes.Array) else scanned[column]
    )
    return scanned.select(value=values).distinct().to_pyarrow()["value"].cast(pa.string()).combine_chunks()


BILL = ("month", "fee", "minutes", "mb", "complaints", "dropped_calls", "roaming_days")
"""Columns of a customer's latest bill that go onto the node, as `bill_month`, `bill_mb`, …: what templates ask for."""


def customers(lake: Lake) -> pa.Table:
    """Every known number, off-net ones flagged, with facts of the latest bill where there are bills."""
    table = lake.read("customers")
    table = table.select(["user", *(name for name in table.column_names if name != "user")]).sort_by("user")
    if not lake.has("bills"):
        return table
    bills = lake.scan("bills")
    facts = [name for name in BILL if name in bills.columns]
    newest = bills.group_by("user").agg(month=bills.month.max())
    latest = bills.join(newest, ["user", "month"]).select("user", *facts).to_pyarrow()
    place = pc.index_in(table["user"], value_set=latest["user"].combine_chunks())
    for name in facts:
        table = table.append_column(f"bill_{name}", latest[name].take(place))
    return table


def persons(lake: Lake) -> pa.Table:
    """Natural persons behind numbers, in the text of their pseudonyms."""
    table = lake.read("customers")
    found = table["person"] if "person" in table.column_names else pa.chunked_array([], pa.binary())
    return pa.table({"person": pc.unique(found.cast(pa.binary())).drop_null()}).sort_by("person")


def distinct_of(table: str, column: str, key: str) -> Callable[[Lake], pa.Table]:
    """Nodes of the key alone: the distinct values of a table's column."""

    def wanted(lake: Lake) -> pa.Table:
        values = pc.unique(lake.read(table, [column])[column]) if lake.has(table) else pa.array([], pa.string())
        return pa.table({key: values.drop_null()}).sort_by(key)

    return wanted


def feed(label: str, table: str, *named_by: tuple[str, str]) -> Nodes:
    key = label.lower()
    return Nodes(label, key, (table, *(name for name, _ in named_by)), feed_nodes(table, key, *named_by))


NODES = (
    Nodes("User", "user", ("customers", "bills"), customers),
    Nodes("Person", "person", ("customers",), persons),
    feed("Handset", "handsets", ("user_handsets", "handset")),
    feed("App", "apps", *((name, "app") for name in (*APP_USE, "url_rules"))),
    feed("Product", "products", ("subscriptions", "product"), ("offers", "product"), ("products", "excludes")),
    feed("Offer", "offers", ("responses", "offer"), ("questions", "offer")),
    feed("Channel", "channels", ("touches", "channel"), ("responses", "channel"), ("offers", "channels")),
    feed("Cell", "cells", ("calls", "cell")),
    feed("Store", "stores"),
    Nodes(
        "Segment",
        "segment",
        ("segment_profiles", "segments"),
        feed_nodes("segment_profiles", "segment", ("segments", "segment")),
    ),
    Nodes("Tag", "tag", ("url_rules", "questions"), tags),
    Nodes("Question", "question", ("questions",), questions),
    Nodes("Answer", "answer", ("questions",), answers),
    Nodes("Category", "category", ("categories",), distinct_of("categories", "category", "category")),
)
