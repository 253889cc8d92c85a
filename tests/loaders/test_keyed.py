"""Later rows replace earlier ones with the same key: against a dictionary, a row at a time."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from loaders.feeds import FEEDS
from loaders.keyed import Keyed

STORES = FEEDS["stores"]
OPTIONAL = ("name", "lat", "lon")


def rows_of(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.table({n: [r.get(n) for r in rows] for n in STORES.schema.names}, schema=STORES.schema)


def plain(files: list[tuple[frozenset[str], list[dict[str, Any]]]], state: dict) -> dict[str, dict[str, Any]]:
    """The rule, a row at a time."""
    state = {key: dict(row) for key, row in state.items()}
    for columns, rows in files:
        for row in rows:
            old = state.get(row["store"], {})
            state[row["store"]] = {n: row.get(n) if n in columns else old.get(n) for n in STORES.schema.names}
    return state


ROW = st.fixed_dictionaries(
    {
        "store": st.sampled_from("abcd"),
        "name": st.sampled_from(["x", "y", None]),
        "lat": st.sampled_from([1.0, None]),
        "lon": st.sampled_from([2.0, 3.0]),
    }
)
FILES = st.lists(
    st.tuples(st.sets(st.sampled_from(OPTIONAL)).map(lambda c: frozenset({"store", *c})), st.lists(ROW, max_size=4)),
    max_size=5,
)


@given(before=FILES, files=FILES)
def test_files_laid_over_each_other_equal_the_plain_rule(before: list, files: list) -> None:
    first = plain(before, {})
    old = rows_of([first[key] for key in sorted(first)]) if first else None
    keyed = Keyed(STORES, old)
    for columns, rows in files:
        blanked = [{n: v for n, v in row.items() if n in columns} for row in rows]
        keyed.add(rows_of(blanked), columns)
    table, taken, replaced = keyed.result()
    want = plain(files, first)
    assert table.to_pylist() == [want[key] for key in sorted(want)]
    changed = [key for key, row in want.items() if first.get(key) != row]
    assert taken == len(changed)
    assert replaced == len([key for key in changed if key in first])


def test_a_correction_keeps_absent_columns_and_clears_empty_cells(bench) -> None:
    bench.load({"users.csv": "number,city,brand,star\n1,Bonn,Red,5\n2,Ulm,Red,4\n"})
    counts = bench.load({"users.csv": "number,city,star\n1,,3\n"}).feeds["users"]
    assert bench.rows("users", "user", "city", "brand", "star") == [("1", None, "Red", 3), ("2", "Ulm", "Red", 4)]
    assert (counts.read, counts.taken, counts.replaced, counts.repeated) == (1, 1, 1, 0)


def test_the_last_row_of_a_key_counts_and_the_others_are_repeated(bench) -> None:
    counts = bench.load(
        {
            "cells/b.csv": "cell,lat,lon\nc,2,2\n",
            "cells/a.csv": "cell,lat,lon\nc,1,1\nc,1,2\nd,1,1\n",
        }
    ).feeds["cells"]
    assert bench.rows("cells") == [("c", 2.0, 2.0), ("d", 1.0, 1.0)]
    assert (counts.read, counts.taken, counts.repeated) == (4, 2, 2)


def test_an_earlier_folder_loaded_again_is_in_force_again(bench) -> None:
    first = {"cells.csv": "cell,lat,lon\nc,1,1\n"}
    bench.load(first)
    bench.load({"cells.csv": "cell,lat,lon\nc,2,2\n"})
    counts = bench.load(first).feeds["cells"]
    assert bench.rows("cells") == [("c", 1.0, 1.0)]
    assert (counts.taken, counts.repeated) == (1, 0)


def test_lists_that_change_are_taken(bench) -> None:
    bench.load({"apps.csv": "app,name,os\na,A,x;y\nb,B,x\n"})
    counts = bench.load({"apps.csv": "app,name,os\na,A,x;z\nb,B,x\n"}).feeds["apps"]
    assert (counts.taken, counts.repeated) == (1, 1)
    assert bench.rows("apps", "app", "os") == [("a", ["x", "z"]), ("b", ["x"])]


def test_a_dropped_value_clears_what_was_there(bench) -> None:
    bench.load({"users.csv": "number,star\n1,5\n"})
    assert bench.load({"users.csv": "number,star\n1,9\n"}).feeds["users"].values_dropped == 1
    assert bench.rows("users", "star") == [(None,)]
