"""What the call graph's analysis found, put onto the users: `circles_shrinking`, `leaders_rank`, …"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from graph.state import keep_part, open_parts, read_state, seal
from graph.store import Store
from graph.sync import property_kind, sync
from lake.silence import gone_silent
from lake.tables import Lake

TABLES = ("circles", "communities", "leaders", "places", "churn", "scores")
NOT_SCORES = ("user", "level", "model")
MODELS = ("data_pack", "fake", "handset_change", "suppressed")
"""Of `scores`: one that says nothing any more takes its properties along."""
PART = "scores"
VERSION = 3


def write_scores(lake: Lake, store: Store) -> bool:
    """Put the last period's columns onto on-net users as `<table>_<column>`; false where they are there already.

    Of communities the finest level (0). Of `churn` each user's row, with its period, and `reasons` as one list a field
    (`churn_reasons_feature`, …). Of `scores` a model's probability as `scores_<model>`, its decile and the reasons in
    words as `scores_<model>_decile` and `_reasons`. `left` is true for those who fell silent, where the feeds do not
    say. A user without a row in a table loses its properties; off-net numbers have none.
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
        for rows in _parts(name, lake.read(name)):
            place = pc.if_else(on_net, pc.index_in(customers["user"], value_set=rows["user"].combine_chunks()), None)
            for column in rows.column_names[1:]:
                found = found.append_column(column, rows[column].take(place.cast(pa.int64())))
    return found


def _parts(name: str, table: pa.Table) -> Iterator[pa.Table]:
    """What goes onto users: `user` and columns by their graph names, one row a user in each part."""
    if name == "scores":
        for model in sorted({*MODELS, *pc.unique(table["model"]).to_pylist()}):
            rows = _last(table.filter(pc.equal(table["model"], model)))
            found = {"": rows["probability"], "_decile": rows["decile"], "_reasons": _words(rows["reasons"])}
            yield pa.table(
                {"user": rows["user"], **{f"scores_{model}{what}": column for what, column in found.items()}}
            )
        return
    last = table if name == "churn" else _last(table)  # a customer's row of `churn` is of the last period known of them
    found = last.select(["user"])
    for column in last.column_names:
        if column not in NOT_SCORES:
            for field, values in _flat(last[column]):
                found = found.append_column(f"{name}_{column}{field}", values)
    yield found


def _last(table: pa.Table) -> pa.Table:
    """The rows of the last period and the finest level, without both columns."""
    if "period" in table.column_names:
        table = table.filter(pc.equal(table["period"], pc.max(table["period"]))).drop_columns("period")
    if "level" in table.column_names:
        table = table.filter(pc.equal(table["level"], 0))
    return table


def _words(reasons: pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """The last field of the records: what an agent can say."""
    return list(_flat(reasons))[-1][1]


def _flat(column: pa.ChunkedArray) -> Iterator[tuple[str, pa.Array | pa.ChunkedArray]]:
    """A column of values that Neo4j has a type for; of lists of records, which it has none for, a list a field."""
    kind = column.type
    if not (pa.types.is_list(kind) and pa.types.is_struct(kind.value_type)):
        yield "", column
        return
    lists = column.combine_chunks()
    ends = pc.cumulative_sum(pc.fill_null(pc.list_value_length(lists), 0))
    starts = pa.concat_arrays([pa.array([0], ends.type), ends])
    for field in kind.value_type.names:
        yield f"_{field}", pa.ListArray.from_arrays(starts, pc.struct_field(lists.flatten(), field))
