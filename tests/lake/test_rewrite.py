"""Tables written anew: under another key, sorted as they were, and without some customers."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lake import forget, publish, rekey
from lake.home import Home
from lake.pseudonyms import Pseudonyms
from lake.rewrite import order_of, sweep
from lake.settings import load_settings
from lake.tables import Lake

OLD, NEW = Pseudonyms(bytes(32)), Pseudonyms(bytes(range(32)))
NUMBERS = [str(4915100000000 + i) for i in range(40)]


def users(*places: int | None, key: Pseudonyms = OLD) -> pa.Array:
    """Pseudonyms of NUMBERS by their places."""
    return key.of_numbers(pa.array([None if i is None else NUMBERS[i] for i in places], pa.string()))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.open(load_settings(home=tmp_path / "home"), create=True)


def put(home: Home, name: str, table: pa.Table, rows: int = 7) -> None:
    path = home.lake / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, row_group_size=rows)


def everything(home: Home, key: Pseudonyms = OLD) -> None:
    """A table sorted by pseudonyms, one by month first, one in no order, one without rows and one without users."""
    of = functools.partial(users, key=key)
    every = pa.table({"user": of(*range(40)), "city": [str(i) for i in range(40)]})
    put(home, "customers.parquet", every.sort_by("user"))
    pairs = pa.table({"user": of(*[i // 3 for i in range(40)]), "contact": of(*[39 - i for i in range(40)])})
    pairs = pairs.append_column("days", pa.array(range(40)))
    put(
        home, "contacts/period=2026-05/part-0.parquet", pairs.sort_by([("user", "ascending"), ("contact", "ascending")])
    )
    bills = pa.table({"month": ["2026-05"] * 20 + ["2026-06"] * 20, "user": of(*range(20), *range(20))})
    put(home, "bills.parquet", bills.sort_by([("month", "ascending"), ("user", "ascending")]))
    calls = pa.table({"caller": of(3, None, 2, 9, 1), "callee": of(1, 2, 2, None, 3), "seconds": [5, 1, 4, 2, 3]})
    put(home, "calls/month=2026-05/a.parquet", calls)
    put(home, "touches/month=2026-05/a.parquet", pa.table({"user": of()}))
    use = pa.table({"user": of(*[i // 20 for i in range(40)]), "app": [None if i % 3 else str(i) for i in range(40)]})
    put(home, "web_use/month=2026-05/a.parquet", use.take(pc.array_sort_indices(use["user"])))
    put(home, "apps.parquet", pa.table({"app": ["maps"]}))


def staged(home: Home, change) -> None:
    folder = publish.stage(home.root)
    change(folder)
    publish.publish(home.root, folder)


def tables(home: Home) -> dict[str, pa.Table]:
    return {p.relative_to(home.lake).as_posix(): pq.ParquetFile(p).read() for p in sorted(home.lake.rglob("*.parquet"))}


def test_order_is_found_by_looking(tmp_path: Path) -> None:
    table = pa.table({"user": users(0, 1, 0, 1), "period": ["2", "3", "3", "2"], "share": [0.5, None, 0.1, 0.2]})
    path = tmp_path / "t.parquet"
    for found, rows in (
        (["user", "period"], table.sort_by([("user", "ascending"), ("period", "ascending")])),
        (["period", "user"], table.sort_by([("period", "ascending"), ("user", "ascending")])),
        ([], table.slice(0, 0)),
        ([], pa.table({"user": users(None, 0)})),
    ):
        pq.write_table(rows, path, row_group_size=1)
        assert order_of(path) == found


def test_under_another_key_every_table_is_what_it_would_be_if_loaded_with_it(home: Home) -> None:
    everything(home)
    before = tables(home)
    staged(home, lambda folder: rekey.stage_tables(home, folder, OLD, NEW))
    found = tables(home)
    other = Home.open(load_settings(home=home.root.parent / "other"), create=True)
    everything(other, NEW)
    assert found == tables(other)
    assert {name: t.schema for name, t in found.items()} == {name: t.schema for name, t in before.items()}
    assert not list(home.lake.rglob("*.unsorted"))


def test_a_killed_rekey_encrypts_nothing_twice(home: Home) -> None:
    everything(home)
    before = tables(home)
    rekey.stage_tables(home, publish.stage(home.root), OLD, NEW)  # and the process dies here
    publish.recover(home.root)
    assert tables(home) == before
    for from_, to in ((OLD, NEW), (NEW, OLD)):
        staged(home, lambda folder, a=from_, b=to: rekey.stage_tables(home, folder, a, b))
    assert tables(home) == before


@settings(max_examples=30, deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(0, 39)), max_size=20))
def test_changed_keeps_nulls_and_numbers(places: list[int | None]) -> None:
    assert OLD.changed(users(*places), NEW).equals(users(*places, key=NEW))
    assert OLD.changed(users(*places).slice(1), NEW).equals(users(*places, key=NEW).slice(1))
    texts = pa.array([None if i is None else f"Konto {i}" for i in places], pa.string())
    assert OLD.changed(OLD.of_texts(texts), NEW).equals(NEW.of_texts(texts))


def test_keys_are_swapped_and_the_old_one_destroyed(home: Home) -> None:
    home.pseudonyms(create=True)
    keys = rekey.Keys(home)
    was = keys.old_file.read_bytes()
    keys.make()
    new = keys.new_file.read_bytes()
    assert keys.new_file.stat().st_mode & 0o777 == 0o600
    held = open(keys.old_file, "rb")
    keys.swap()
    keys.swap()
    assert keys.old_file.read_bytes() == new != was
    assert held.read() == b"\0" * len(was)
    held.close()
    assert sorted(p.name for p in home.root.glob("number*")) == ["number.key"]


def test_forgetting_takes_whole_rows_and_leaves_other_files_alone(home: Home) -> None:
    everything(home)
    put(home, "segments.parquet", pa.table({"user": users(7), "segment": ["s"]}))
    untouched = (home.lake / "segments.parquet").stat().st_ino
    gone: dict[str, int] = {}
    staged(home, lambda folder: gone.update(forget.stage_tables(home, folder, users(2))))
    assert gone == {"bills": 2, "calls": 2, "contacts": 4, "customers": 1}
    lake = Lake(home.lake)
    assert lake.scan("calls").select("seconds").to_pyarrow()["seconds"].to_pylist() == [5, 2, 3]
    assert lake.read("customers").num_rows == 39
    assert (home.lake / "segments.parquet").stat().st_ino == untouched
    again: dict[str, int] = {}
    staged(home, lambda folder: again.update(forget.stage_tables(home, folder, users(2))))
    assert again == {}


def test_former_customers_of_the_number_are_forgotten_with_it(home: Home) -> None:
    lake = Lake(home.lake)
    assert forget.accounts_of(lake, users(1)).to_pylist() == users(1).to_pylist()
    until = pa.array([None, None], pa.date32())
    lake.write("successions", pa.table({"user": users(1, 4), "former": users(2, 3), "until": until}))
    assert set(forget.accounts_of(lake, users(1)).to_pylist()) == set(users(1, 2).to_pylist())


def test_what_killed_writers_left_is_swept_away(home: Home) -> None:
    everything(home)
    before = tables(home)
    (home.lake / ".contacts-x1").mkdir()
    (home.lake / ".contacts-x1/a.parquet").write_bytes(b"x")
    (home.lake / "contacts/period=2026-05/.part-0.parquet.123").write_bytes(b"x")
    (home.root / ".steps.json.12").write_bytes(b"x")
    (home.lake / ".calls-inputs.json").write_text(json.dumps({}))
    sweep(home.root)
    assert tables(home) == before
    assert [p.name for p in home.root.rglob(".*")] == [".calls-inputs.json"]
