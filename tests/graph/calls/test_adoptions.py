"""First uses and first subscriptions, read in whatever order the rows lie."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.calls import adoptions
from graph.calls.ids import Positions
from lake.tables import Lake
from tests.graph.calls.world import number

START = dt.date(2026, 1, 1)
USERS = pa.array([number(name) for name in "abcd"], pa.binary())
ROWS = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["chess", "maps", "zoo"]), st.integers(0, 90)))


def read(folder: Path, uses: list[tuple[str, str, int]], held: list[tuple[str, str, int]]) -> adoptions.Adoptions:
    lake = Lake(folder)
    for month, part in (("2026-01", uses[::2]), ("2026-02", uses[1::2])):
        table = {**_columns(part, "app", "day"), **dict.fromkeys(("at", "hour", "sessions", "seconds", "mb"), None)}
        rows = {name: pa.nulls(len(part), pa.int64()) if one is None else one for name, one in table.items()}
        lake.write_partition("app_usage", "month", month, pa.table(rows))
    lake.write("subscriptions", pa.table(_columns(held, "product", "since")))
    found = adoptions.read(lake, Positions(USERS))
    assert found is not None
    return found


def _columns(rows: list[tuple[str, str, int]], item: str, day: str) -> dict[str, pa.Array]:
    return {
        "user": pa.array([number(user) for user, _, _ in rows], pa.binary()),
        item: pa.array([what for _, what, _ in rows], pa.string()),
        day: pa.array([START + dt.timedelta(days=back) for _, _, back in rows], pa.date32()),
    }


def test_the_first_day_counts_and_apps_known_from_the_beginning_do_not(tmp_path: Path) -> None:
    uses = [
        ("a", "zoo", 50),
        ("b", "maps", 60),
        ("a", "zoo", 40),
        ("c", "zoo", 40),
        ("d", "maps", 0),
        ("d", "maps", 70),
    ]
    found = read(tmp_path, uses, [("b", "plan", 5), ("a", "plan", 7), ("b", "plan", 2)])
    day0 = (START - dt.date(1970, 1, 1)).days
    assert found.user.tolist() == [1, 0, 2, 1, 0]  # maps: b; zoo: a and c; plan: b, then a
    assert (found.day - day0).tolist() == [60, 40, 40, 2, 7]
    assert found.starts.tolist() == [0, 1, 3, 5]


@settings(max_examples=15, deadline=None)
@given(ROWS, ROWS)
def test_as_plain_dictionaries_have_it(uses: list[tuple[str, str, int]], held: list[tuple[str, str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = read(Path(folder), uses, held)
    known_from = min((day for _, _, day in uses), default=0) + adoptions.WINDOW_DAYS
    expected = [(0, *row) for row in _firsts(uses) if row[1] >= known_from] + [(1, *row) for row in _firsts(held)]
    day0 = (START - dt.date(1970, 1, 1)).days
    assert list(zip(found.day - day0, found.user, strict=True)) == [(day, user) for _, _, day, user in expected]
    sizes = [sum(row[:2] == item for row in expected) for item in sorted({row[:2] for row in expected})]
    assert np.diff(found.starts).tolist() == sizes


def _firsts(rows: list[tuple[str, str, int]]) -> list[tuple[str, int, int]]:
    """(item, first day, user) in order."""
    first: dict[tuple[str, str], int] = {}
    for user, item, day in rows:
        first[user, item] = min(day, first.get((user, item), day))
    return sorted((item, day, "abcd".index(user)) for (user, item), day in first.items())
