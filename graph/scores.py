"""What the call graph's analysis found, put onto the users: `circles_shrinking`, `leaders_rank`, …"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from graph.state import keep_part, open_parts, read_state, seal
from graph.store import Store
from graph.sync import property_kind, sync
from lake.silence import gone_silent
from lake.tables import Lake

TABLES = ("circles", "communities", "leaders", "places")
NOT_SCORES = ("user", "period", "level")
PART = "scores"
VERSION = 2


def write_scores(lake: Lake, store: Store) -> bool:
    """Put the last period's columns onto on-net users as `<table>_<column>`; false where they are there already.

    Of communities the finest level (0). `left` is true for those who fell silent, where the feeds do not say. A user
    without a row in a table loses its properties; off-net numbers have none. Columns that Neo4j has
    no type for (lists of records) stay in the lake.
    """
    tables, fingerprint = made_from(lake)
    if not tables or read_state(store).get(PART) == fingerprint:
        return False
    open_parts(store, [PART])
    wanted = scores(lake, tables)
    sync(store, property_kind("User", "user", wanted.schema), wanted)
    keep_part(store, PART, fingerprint)
    seal(store)
    return True


def made_from(lake: Lake) -> tuple[list[str], str]:
    """The tables of the analysis that there are, and the fingerprint of what is made from them."""
    tables = [name for name in TABLES if lake.has(name)]
    return tables, f"{VERSION} {lake.fingerprint([*tables, 'customers'])}"


def scores(lake: Lake, tables: list[str]) -> pa.Table:
    """One row a known number, sorted by `user`: columns of `tables` by their graph names, null for off-net numbers."""
    customers = lake.read("customers", ["user", "off_net"]).sort_by("user")
    on_net = pc.invert(customers["off_net"])
    silent = pc.is_in(customers["user"], value_set=gone_silent(lake))
    found = customers.select(["user"]).append_column("left", pc.if_else(silent, True, None))
    for name in tables:
        last = _last(lake.read(name))
        place = pc.if_else(on_net, pc.index_in(customers["user"], value_set=last["user"].combine_chunks()), None)
        for column in last.column_names:
            if column not in NOT_SCORES and not pa.types.is_nested(last.schema.field(column).type):
                found = found.append_column(f"{name}_{column}", last[column].take(place.cast(pa.int64())))
    return found


def _last(table: pa.Table) -> pa.Table:
    """The rows of the last period and the finest level."""
    if "period" in table.column_names:
        table = table.filter(pc.equal(table["period"], pc.max(table["period"])))
    if "level" in table.column_names:
        table = table.filter(pc.equal(table["level"], 0))
    return table
