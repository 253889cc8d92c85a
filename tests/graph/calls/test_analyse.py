"""The whole analysis: what it returns, what it repeats, and that threads do not change a byte."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from graph.calls.analyse import analyse
from lake.tables import Lake
from tests.graph.calls.world import call, put_calls, settings, world

PERIODIC = ("contacts", "circles", "communities", "movement", "features")
WHOLE = ("leaders", "places", "churn", "scores", "returning")
TABLES = ("circles", "communities", "movement", "features", *WHOLE)


def many(seed: int = 0) -> list[dict[str, object]]:
    rng = np.random.default_rng(seed)
    pairs = [(f"u{a:02d}", f"u{b:02d}" if b < 50 else f"Off{b}") for a, b in rng.integers(0, 60, (1500, 2)) if a != b]
    months = rng.integers(3, 7, len(pairs))
    return [
        call(a, b, f"2026-0{m}-{1 + i % 28:02d} 10:00:00")
        for i, ((a, b), m) in enumerate(zip(pairs, months, strict=True))
    ]


def test_it_says_what_it_made_and_repeats_nothing(tmp_path: Path) -> None:
    lake = world(tmp_path, many())
    periods = [f"2026-0{m}" for m in (3, 4, 5, 6)]
    found = analyse(lake, settings())
    assert found["periods"] == periods
    assert found["made"] == dict.fromkeys(PERIODIC, periods) | dict.fromkeys(WHOLE, True)
    assert set(found["seconds"]) == {*PERIODIC, *WHOLE}
    before = {f: f.stat().st_mtime_ns for name in (*TABLES, "contacts") for f in lake.files(name)}
    assert analyse(lake, settings())["made"] == {key: [] for key in PERIODIC} | dict.fromkeys(WHOLE, False)
    assert before == {f: f.stat().st_mtime_ns for f in before}
    assert not [f for f in lake.root.iterdir() if f.name.startswith(".contacts-")]


def test_a_lake_without_calls_has_nothing_to_analyse(tmp_path: Path) -> None:
    lake = world(tmp_path, many())
    analyse(lake, settings())
    lake.drop("calls")
    assert analyse(lake, settings())["periods"] == []
    assert not any(lake.has(name) for name in (*TABLES, "contacts", "contacts_apart"))
    empty = Lake(tmp_path / "empty")
    empty.root.mkdir()
    assert analyse(empty, settings())["periods"] == []


def test_what_was_learned_before_is_not_needed(tmp_path: Path) -> None:
    lake = world(tmp_path, many())
    analyse(lake, settings())
    before = {f: f.read_bytes() for name in (*TABLES, "contacts") for f in lake.files(name)}
    (lake.root / ".calls-inputs.json").write_text("{cut short")
    assert len(analyse(lake, settings())["made"]["contacts"]) == 4
    assert before == {f: f.read_bytes() for f in before}


def test_a_month_handed_in_again_comes_to_the_same_as_all_at_once(tmp_path: Path) -> None:
    lake = world(tmp_path / "1", many())
    analyse(lake, settings())
    changed = [row for row in many() if row["day"].month == 4][::2]  # type: ignore[attr-defined]
    put_calls(lake, changed)
    assert analyse(lake, settings())["made"]["contacts"] == ["2026-04"]
    fresh = world(tmp_path / "2", many())
    put_calls(fresh, changed)
    analyse(fresh, settings())
    for name in (*TABLES, "contacts"):
        assert [f.read_bytes() for f in lake.files(name)] == [f.read_bytes() for f in fresh.files(name)], name


def test_one_thread_and_two_give_the_same_bytes(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    script = (
        "import sys, ibis; from pathlib import Path; from lake.tables import Lake; from lake.settings import Settings;"
        "from graph.calls.analyse import analyse; lake = Lake(Path(sys.argv[1]));"
        "lake.connection.raw_sql(f'SET threads = {sys.argv[2]}'); analyse(lake, Settings())"
    )
    lakes = []
    for threads in ("1", "2"):
        lake = world(tmp_path / threads, many())
        environment = {**os.environ, "NUMBA_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        subprocess.run([sys.executable, "-c", script, str(lake.root), threads], cwd=root, env=environment, check=True)
        lakes.append(lake)
    for name in (*TABLES, "contacts"):
        assert [f.read_bytes() for f in lakes[0].files(name)] == [f.read_bytes() for f in lakes[1].files(name)], name
