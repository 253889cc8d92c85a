"""However a month's events are cut into files and loads, the lake is the same; a load rewrites only what it touches."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from graph.calls import contacts

HEADS = {
    "users": "number,account,activated_on,city",
    "calls": "caller,callee,at,seconds,kind,record,call",
    "app_usage": "number,app,at,mb",
    "web_visits": "number,at,url,mb",
    "touches": "number,channel,at",
    "responses": "number,offer,channel,at,outcome",
}
RULES = {"url_rules.csv": "pattern,app,tag\na.example,a,\n*.example,,other\n"}
BUILT = ("customers", "successions", "numbers", "contacts", "contacts_apart", "services", "url_rules")
"""Tables that come out in one order, byte for byte; the others hold a file's rows as they came."""


def events(rng: random.Random, rows: int) -> dict[str, list[str]]:
    """Random rows of every event feed in April to June, and of users whose numbers are given on."""

    def at() -> str:
        return (
            f"2026-0{rng.randint(4, 6)}-{rng.randint(1, 30):02d}T{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}:07Z"
        )

    def who() -> int:
        return rng.randint(1, 6)

    kinds = {
        "calls": lambda i: f"{who()},{who()},{at()},{i},voice,{rng.choice(['out', 'in', ''])},{rng.choice(['c', ''])}",
        "app_usage": lambda i: f"{who()},app{i % 3},{at()},{i}",
        "web_visits": lambda i: f"{who()},{at()},{rng.choice('abc')}.example,{i}",
        "touches": lambda i: f"{who()},sms,{at()}",
        "responses": lambda i: f"{who()},offer,sms,{at()},{rng.choice(['shown', 'refused'])}",
    }
    found = {feed: [make(i) for i in range(rows)] for feed, make in kinds.items()}
    days = {a: f"2026-0{rng.randint(4, 6)}-{10 + i}" for i, a in enumerate("AB")}
    found["users"] = [f"{n},{a},{day},city{a}" for n in range(1, 5) for a, day in days.items()]
    return found


def files(feed: str, parts: list[list[str]]) -> Iterator[tuple[str, str]]:
    for place, rows in enumerate(parts):
        yield f"{feed}/part{place}.csv", "\n".join([HEADS[feed], *rows]) + "\n"


def tables(bench) -> dict[str, Any]:
    """Every table of the lake: bytes by path of those that are made, the sorted rows of the others."""
    found: dict[str, Any] = {}
    for path in bench.home.lake.rglob("*.parquet"):
        name = path.relative_to(bench.home.lake)
        table = name.parts[0].removesuffix(".parquet")
        if table in BUILT:
            found[str(name)] = path.read_bytes()
        elif table != "unknown_hosts":
            found[table] = sorted(map(repr, bench.lake.read(table).to_pylist()))
    return found


@settings(max_examples=3, phases=[Phase.explicit, Phase.reuse, Phase.generate])  # too slow to shrink
@given(st.integers(0, 1 << 32), st.integers(1, 4), st.integers(1, 3))
def test_events_cut_at_random_in_any_order_equal_one_load(make_bench, seed: int, cuts: int, loads: int) -> None:
    rng = random.Random(seed)
    rows = events(rng, 12)
    whole, cut = make_bench(), make_bench()
    whole.load({**RULES, **dict(file for feed in rows for file in files(feed, [rows[feed]]))})
    parts = []
    for feed, of_feed in rows.items():
        split: list[list[str]] = [[] for _ in range(cuts)]
        for row in rng.sample(of_feed, len(of_feed)):
            rng.choice(split).append(row)
        parts += files(feed, split)
    rng.shuffle(parts)
    for start in range(loads):
        cut.load({**(RULES if start == 0 else {}), **dict(parts[start::loads])})
        contacts.build(cut.lake, cut.settings)
    contacts.build(whole.lake, whole.settings)
    assert whole.lake.has("successions")
    assert whole.lake.has("contacts")
    assert tables(cut) == tables(whole)


def month(feed: str, number: str, *rows: str) -> dict[str, str]:
    return {
        f"{feed}/2026-{number}.csv": "\n".join([HEADS[feed], *(row.replace("M", f"2026-{number}") for row in rows)])
        + "\n"
    }


def of_month(number: str, *more: str) -> dict[str, str]:
    """One month of calls, visits and use of apps between customers 1, 2 and 3."""
    return {
        **month("calls", number, "1,2,M-10T10:00Z,60,voice,,", *more),
        **month("web_visits", number, "1,M-10T10:00Z,a.example,1"),
        **month("app_usage", number, "1,chess,M-10,1"),
    }


def load(bench, files: dict[str, str]) -> set[str]:
    """Load and make contacts; the files of the lake that are new or written anew, or gone."""
    before = bench.state()
    bench.load(files)
    contacts.build(bench.lake, bench.settings)
    after = bench.state()
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


USERS = {"users.csv": "number,account,activated_on\n1,A,2026-01-01\n2,B,2026-01-01\n3,C,2026-01-01\n"}


def test_a_later_month_and_a_month_handed_in_again_touch_no_other_month(bench) -> None:
    load(bench, {**USERS, **RULES, **of_month("04"), **of_month("05")})
    months = {"app_usage", "calls", "contacts", "contacts_apart", "numbers", "web_use", "web_visits"}
    touched = load(bench, of_month("06"))
    assert {name.split("/")[0] for name in touched if "2026-06" in name} == months
    assert not [name for name in touched if "2026-05" in name or "2026-04" in name]
    touched = load(bench, of_month("05", "1,3,M-11T10:00Z,60,voice,,"))
    assert {name.split("/")[0] for name in touched if "2026-05" in name} == {"calls", "contacts", "numbers"}
    assert not [name for name in touched if "2026-06" in name or "2026-04" in name]
    assert {
        (row["calls_out"], row["calls_in"]) for row in bench.lake.read("contacts", partition="2026-05").to_pylist()
    } == {
        (1, 0),
        (0, 1),
    }
    assert load(bench, of_month("05", "1,3,M-11T10:00Z,60,voice,,")) == set()


def test_a_number_that_is_given_on_touches_the_months_that_name_it(bench) -> None:
    april = month("calls", "04", "1,2,M-10T10:00Z,60,voice,,")
    may = month("calls", "05", "2,3,M-10T10:00Z,60,voice,,")
    load(
        bench, {**USERS, "calls/2026-04.csv": april["calls/2026-04.csv"], "calls/2026-05.csv": may["calls/2026-05.csv"]}
    )
    touched = load(bench, {"users.csv": "number,account,activated_on\n1,Z,2026-06-01\n"})
    assert "contacts/period=2026-04/part-0.parquet" in touched
    assert not [name for name in touched if "2026-05" in name]
