"""The lake as it was when a month began, in a folder of its own: what came later cannot be learned from it.

Rows with a day of their own are left out from that day on, and what ended later has not ended yet. Customers, apps,
products, offers and channels have no history, so they are as they are today, but for what is known to have come later:
who left since has not left, and the end of a contract that was concluded since is not known. What is made from the
feeds (segments, scores, snapshots) is not there: whoever needs it makes it again.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lake.periods import first_day, last_day
from lake.tables import Lake

WHOLE = ("apps", "channels", "handsets", "offers", "products", "successions", "url_rules")
BY_PERIOD = ("app_usage", "web_use", "touches", "responses", "contacts")
"""Tables of files by month or period; a period that has ended by then is taken whole."""
SINCE = ("subscriptions", "user_handsets")
"""Tables of rows that begin (`since`) and end (`until`)."""
CONTRACTS = ("contract", "handset_deal")
"""Kinds of products that change the day until which a customer is bound."""


def past_lake(lake: Lake, root: Path, month: str) -> Lake:
    """Write the tables of `lake` as they were when `month` (`2026-06`) began to the folder `root`.

    Files that stay as they are cost no room where the disk can link them.
    """
    first = first_day(month)
    for name in WHOLE:
        for file in lake.files(name):
            _same(file, root / file.relative_to(lake.root))
    for name in BY_PERIOD:
        for period in lake.partitions(name):
            if last_day(period) < first:
                for file in lake.files(name, period):
                    _same(file, root / file.relative_to(lake.root))
    past = Lake(root)
    for name in SINCE:
        if lake.has(name):
            past.write(name, _begun(_stored(lake, name), first))
    if lake.has("bills"):
        bills = _stored(lake, "bills")
        past.write("bills", bills.filter(pc.less(bills["month"], month)))
    if lake.has("answers"):
        answers = _stored(lake, "answers")
        past.write("answers", answers.filter(pc.less(answers["at"], pa.scalar(dt.datetime.combine(first, dt.time())))))
    past.write("customers", _customers(lake, first))
    return past


def _same(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(file, target)
    except OSError:  # another disk, or one that knows no links
        shutil.copy2(file, target)


def _stored(lake: Lake, name: str) -> pa.Table:
    """A table as its files have it: a recycled number's rows keep the number, as the copy is read like the lake."""
    return pa.concat_tables([pq.read_table(file, partitioning=None) for file in lake.files(name)])


def _begun(table: pa.Table, first: dt.date) -> pa.Table:
    begun = table.filter(pc.fill_null(pc.less(table["since"], pa.scalar(first)), True))
    later = pc.fill_null(pc.greater_equal(begun["until"], pa.scalar(first)), False)
    until = pc.if_else(later, pa.scalar(None, begun["until"].type), begun["until"])
    return begun.set_column(begun.column_names.index("until"), "until", until)


def _customers(lake: Lake, first: dt.date) -> pa.Table:
    table = lake.read("customers")
    names = table.column_names

    def without(table: pa.Table, column: str, rows: pa.Array) -> pa.Table:
        if column not in names:
            return table
        blank = pc.if_else(rows, pa.scalar(None, table[column].type), table[column])
        return table.set_column(names.index(column), column, blank)

    if "left_on" in names:
        left_since = pc.fill_null(pc.greater_equal(table["left_on"], pa.scalar(first)), False)
        table = without(without(table, "status", left_since), "left_on", left_since)
    if lake.has("subscriptions") and lake.has("products"):
        held, products = lake.read("subscriptions", ["user", "product", "since"]), lake.read("products")
        contracts = products.filter(pc.is_in(products["kind"], value_set=pa.array(CONTRACTS)))["product"]
        since = pc.fill_null(pc.greater_equal(held["since"], pa.scalar(first)), False)
        bound = held.filter(pc.and_(since, pc.is_in(held["product"], value_set=contracts.combine_chunks())))
        concluded = pc.is_in(table["user"], value_set=bound["user"].combine_chunks())
        table = without(table, "contract_until", concluded)
    return table
