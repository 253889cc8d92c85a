"""Circles by hand and against a plain-Python oracle."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from graph.calls import circles, contacts, lifetimes
from graph.calls.state import Inputs
from lake.tables import Lake
from tests.graph.calls.world import by_user, call, message, name_of, put_calls, put_customers, settings, user, world

TODAY = dt.date(2026, 8, 1)
COMPARISONS = ["new", "lost", "kept", "jaccard", "strength_lost"]
COMPARISONS += ["against_self", "against_peers", "expected", "p_value", "shrinking"]
FOLLOWED = {"activated_on": dt.date(2026, 1, 1), "status": "active"}


def build(lake: Lake, period: str = "month") -> list[str]:
    contacts.build(lake, settings(period))
    inputs = Inputs(lake)
    made = circles.build(lake, lifetimes.read(lake, settings(period).period, TODAY), inputs)
    inputs.save()
    return made


def months(lake: Lake, name: str) -> list[str]:
    return [row["period"] for row in lake.read("circles").to_pylist() if name_of(row["user"]) == name]


def test_a_circle_of_three_that_loses_one_and_gains_two(tmp_path: Path) -> None:
    lake = world(
        tmp_path,
        [
            # May: a calls b 3 times (b once back), c twice, Off once.
            *[call("a", "b", f"2026-05-0{d} 10:00:00") for d in (1, 2, 3)],
            call("b", "a", "2026-05-04 10:00:00"),
            *[message("c", "a", f"2026-05-0{d} 10:00:00") for d in (1, 2)],
            call("a", "Off", "2026-05-01 10:00:00"),
            # June: b once, d twice, e once; c and Off are gone.
            call("a", "b", "2026-06-01 10:00:00"),
            call("d", "a", "2026-06-02 10:00:00"),
            call("a", "d", "2026-06-02 11:00:00"),
            message("a", "e", "2026-06-03 10:00:00"),
        ],
    )
    assert build(lake) == ["2026-05", "2026-06"]
    may, june = (by_user(lake, "circles", period=p)["a"] for p in ("2026-05", "2026-06"))
    assert (may["contacts"], may["reciprocal"]) == (3, 1)
    assert [may[name] for name in COMPARISONS] == [None] * len(COMPARISONS)
    shares = [4 / 7, 2 / 7, 1 / 7]
    assert may["entropy"] == pytest.approx(-sum(p * math.log(p) for p in shares))
    assert (june["contacts"], june["reciprocal"], june["new"], june["lost"], june["kept"]) == (3, 1, 2, 2, 1)
    assert june["jaccard"] == pytest.approx(1 / 5)
    assert june["strength_lost"] == pytest.approx(3 / 7)
    assert june["against_self"] == pytest.approx(1.0)
    # Four calls by the habits of May: contacts drawn with 4/7, 2/7, 1/7.
    assert june["expected"] == pytest.approx(sum(1 - (1 - p) ** 4 for p in shares))
    # The network: sizes in June a3 b1 c0 (d and e are new), own means a3 b1 c1.
    assert june["against_peers"] == pytest.approx(1 / ((3 + 1 + 0) / (3 + 1 + 1)))
    assert june["shrinking"] is False


def test_silent_periods_have_rows_between_calls_and_for_known_customers_to_the_end(tmp_path: Path) -> None:
    rows = [call("a", "b", f"2026-0{m}-10 10:00:00") for m in (1, 2, 3, 4, 5)]
    rows += [call("back", "a", f"2026-0{m}-10 10:00:00") for m in (1, 4, 5)]
    rows += [call("away", "a", f"2026-0{m}-10 10:00:00") for m in (1, 2)]
    rows += [call("kept", "a", "2026-01-10 10:00:00")]
    users = [
        *[user(name) for name in ("a", "b", "back", "away", "never")],
        user("kept", status="active"),
        user("early", activated_on=dt.date(2026, 3, 31)),
    ]
    lake = world(tmp_path, rows, users)
    build(lake)
    every = [f"2026-0{m}" for m in (1, 2, 3, 4, 5)]
    assert months(lake, "back") == every
    assert months(lake, "away") == every[:3]
    assert months(lake, "kept") == every
    assert months(lake, "never") == every
    assert months(lake, "early") == every[2:]
    silent = by_user(lake, "circles", period="2026-02")["back"]
    assert (silent["contacts"], silent["lost"], silent["entropy"], silent["jaccard"]) == (0, 1, None, 0.0)
    assert (silent["strength_lost"], silent["expected"], silent["p_value"], silent["shrinking"]) == (
        1.0,
        0.0,
        1.0,
        False,
    )
    still = by_user(lake, "circles", period="2026-03")["back"]
    assert (still["jaccard"], still["strength_lost"], still["against_self"]) == (None, None, 0.0)


def test_who_left_is_followed_to_the_period_they_left_in(tmp_path: Path) -> None:
    rows = [call(n, "a", f"2026-0{m}-10 10:00:00") for m in (1, 2, 3) for n in ("date", "soon", "b")]
    rows += [call("said", "a", "2026-01-10 10:00:00")]
    rows += [call("a", "b", "2026-04-10 10:00:00")]
    users = [
        user("a"),
        user("b"),
        user("date", left_on=dt.date(2026, 2, 20), status="left"),
        user("soon", left_on=dt.date(2027, 2, 20), status="active"),
        user("said", status="left"),
        user("ghost", status="left"),
    ]
    lake = world(tmp_path, rows, users)
    build(lake)
    assert months(lake, "date") == ["2026-01", "2026-02"]
    assert months(lake, "soon") == ["2026-01", "2026-02", "2026-03", "2026-04"]
    assert months(lake, "said") == ["2026-01", "2026-02"]
    assert months(lake, "ghost") == []


def test_what_came_before_a_new_account_is_not_its_own(tmp_path: Path) -> None:
    rows = [call("a", "b", f"2026-0{m}-10 10:00:00") for m in (1, 2, 3)]
    lake = world(tmp_path, rows, [user("a", account=b"x" * 16, activated_on=dt.date(2026, 2, 5)), user("b")])
    build(lake)
    assert months(lake, "a") == ["2026-02", "2026-03"]
    second = by_user(lake, "circles", period="2026-02")["a"]
    assert (second["contacts"], second["kept"], second["against_self"]) == (1, None, None)
    assert by_user(lake, "circles", period="2026-03")["a"]["against_self"] == 1.0


def test_a_month_that_was_not_handed_in_is_no_silence(tmp_path: Path) -> None:
    rows = [call("a", "b", f"2026-0{m}-10 10:00:00") for m in (1, 2, 4)]
    lake = world(tmp_path, rows)
    build(lake)
    assert months(lake, "a") == ["2026-01", "2026-02", "2026-04"]
    assert by_user(lake, "circles", period="2026-04")["a"]["kept"] == 1


def test_a_customer_with_one_contact_by_week_keeps_it_or_has_nobody(tmp_path: Path) -> None:
    # 27 April to 3 May 2026 is W18 (one week over two months); W19 is silent for a, who then meets c instead.
    rows = [call("a", "b", "2026-04-30 10:00:00"), call("b", "a", "2026-05-03 10:00:00")]
    rows += [call("b", "c", "2026-05-06 10:00:00"), call("a", "c", "2026-05-12 10:00:00")]
    lake = world(tmp_path, rows, [user(name, **FOLLOWED) for name in "abc"])
    assert build(lake, "week") == ["2026-W18", "2026-W19", "2026-W20"]
    one, none, other = (by_user(lake, "circles", period=f"2026-W{w}")["a"] for w in (18, 19, 20))
    assert (one["contacts"], one["reciprocal"], one["entropy"], one["kept"]) == (1, 1, 0.0, None)
    assert (none["contacts"], none["lost"], none["strength_lost"], none["p_value"]) == (0, 1, 1.0, 1.0)
    assert (other["contacts"], other["new"], other["lost"], other["jaccard"]) == (1, 1, 0, 0.0)
    assert (other["against_self"], other["expected"]) == (2.0, 1.0)  # one and none before; one call by the habit
    assert other["shrinking"] is False


def test_only_circles_that_look_back_at_a_changed_period_are_made_again(tmp_path: Path) -> None:
    rows = [call("a", "b", f"2026-0{m}-10 10:00:00") for m in range(1, 8)]
    lake = world(tmp_path, rows, [user("a"), user("b"), user("c", **FOLLOWED)])
    assert len(build(lake)) == 7
    assert build(lake) == []
    put_calls(lake, [call("a", "b", "2026-02-10 10:00:00"), call("a", "c", "2026-02-10 10:00:00")])
    assert build(lake) == ["2026-02", "2026-03", "2026-04", "2026-05"]
    fresh = world(tmp_path / "fresh", rows[:1] + rows[2:], [user("a"), user("b"), user("c", **FOLLOWED)])
    put_calls(fresh, [call("a", "b", "2026-02-10 10:00:00"), call("a", "c", "2026-02-10 10:00:00")])
    build(fresh)
    assert fresh.files("circles")[0].read_bytes() == lake.files("circles")[0].read_bytes()


def test_a_new_customer_adds_their_own_rows(tmp_path: Path) -> None:
    rows = [call("a", "b", f"2026-0{m}-10 10:00:00") for m in (1, 2, 3)]
    lake = world(tmp_path, rows)
    build(lake)
    put_customers(lake, [user("a"), user("b"), user("aa", activated_on=dt.date(2026, 3, 1))], [])
    assert build(lake) == ["2026-03"]
    assert [name_of(row["user"]) for row in lake.read("circles").to_pylist()][-3:] == ["a", "aa", "b"]


def oracle(rows: list[tuple[str, str, int]], months_: list[int]) -> dict[tuple[str, int], dict[str, Any]]:
    """Circles in plain Python from (caller, callee, month); every number a customer for the whole time."""
    weights: dict[tuple[str, int], Counter[str]] = {}
    toward: set[tuple[str, str, int]] = {(a, b, m) for a, b, m in rows}
    for a, b, m in rows:
        weights.setdefault((a, m), Counter())[b] += 1
        weights.setdefault((b, m), Counter())[a] += 1
    found = {}
    for u in sorted({name for a, b, _ in rows for name in (a, b)}):
        begun = min(m for m in months_ if (u, m) in weights)
        for m in months_:
            if m < begun:
                continue
            now, old = weights.get((u, m), Counter()), weights.get((u, m - 1), Counter())
            earlier = [weights.get((u, k), Counter()) for k in range(max(begun, m - 3), m)]
            pooled = sum(earlier, Counter())
            total = sum(now.values())
            row: dict[str, Any] = {
                "contacts": len(now),
                "reciprocal": sum((u, v, m) in toward and (v, u, m) in toward for v in now),
                "entropy": -sum(w / total * math.log(w / total) for w in now.values()) if now else None,
            }
            if m > begun:
                mean = sum(map(len, earlier)) / len(earlier)
                row |= {
                    "new": len(now.keys() - old.keys()),
                    "lost": len(old.keys() - now.keys()),
                    "kept": len(now.keys() & old.keys()),
                    "jaccard": len(now.keys() & old.keys()) / len(now.keys() | old.keys()) if now or old else None,
                    "strength_lost": sum(w for v, w in old.items() if v not in now) / sum(old.values())
                    if old
                    else None,
                    "against_self": len(now) / mean if mean else None,
                    "expected": sum(1 - (1 - w / sum(pooled.values())) ** total for w in pooled.values())
                    if pooled
                    else None,
                }
            found[u, m] = row
    return found


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(*[st.sampled_from("abcdef")] * 2, st.integers(1, 5)).filter(lambda t: t[0] != t[1]), min_size=1)
)
def test_circles_agree_with_plain_python(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("circles")
    months_ = sorted({m for _, _, m in rows})
    close = {m: i for i, m in enumerate(months_, start=1)}  # months without records are not handed in
    rows = [(a, b, close[m]) for a, b, m in rows]
    lake = world(
        folder,
        [call(a, b, f"2026-0{m}-10 10:00:00") for a, b, m in rows],
        [user(name, status="active") for name in "abcdef"],
    )
    build(lake)
    wanted = oracle(rows, sorted(close.values()))
    found = {(name_of(r["user"]), int(r["period"][-1])): r for r in lake.read("circles").to_pylist()}
    silent = set("abcdef") - {u for u, _ in wanted}
    assert {key for key in found if key[0] not in silent} == set(wanted)
    for key, row in wanted.items():
        for name, value in row.items():
            assert found[key][name] == (pytest.approx(value, abs=1e-9) if isinstance(value, float) else value), (
                key,
                name,
            )
