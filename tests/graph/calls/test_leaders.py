"""Leaders on a hand-made graph; adoptions counted by hand and against real shuffling."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as settings_
from hypothesis import strategies as st
from scipy.stats import combine_pvalues, hypergeom

from graph.calls.adoptions import Adoptions, _evidence, led
from graph.calls.analyse import analyse
from graph.calls.leaders import _joined
from lake.tables import Lake
from tests.graph.calls.world import by_user, call, number, settings, user, world


def star(month: int = 5) -> list[dict[str, object]]:
    return [call(leaf, "hub", f"2026-{month:02d}-10 10:00:00") for leaf in "abcd"]


def put_subscriptions(lake: Lake, rows: list[tuple[str, str, str]]) -> None:
    table = pa.table(
        {
            "user": pa.array([number(u) for u, _, _ in rows], pa.binary()),
            "product": [p for _, p, _ in rows],
            "since": pa.array([dt.date.fromisoformat(d) for _, _, d in rows], pa.date32()),
            "until": pa.nulls(len(rows), pa.date32()),
        }
    )
    lake.write("subscriptions", table)


def test_the_hub_of_a_star_leads(tmp_path: Path) -> None:
    rows = [*star(), call("a", "b", "2026-05-11 10:00:00"), call("x", "y", "2026-05-11 10:00:00")]
    users = [user(n) for n in ["hub", *"abcdxy", "quiet"]]
    users += [user("firm", kind="company"), user("gone", left_on=dt.date(2026, 5, 5))]
    rows += [call(leaf, "firm", "2026-05-12 10:00:00") for leaf in "abcd"] + [
        call("gone", "hub", "2026-05-01 10:00:00")
    ]
    lake = world(tmp_path, rows, users)
    analyse(lake, settings())
    found = by_user(lake, "leaders")
    assert sorted(found) == ["a", "b", "c", "d", "hub", "quiet", "x", "y"]
    assert found["hub"]["rank"] == 1
    assert found["hub"]["community_rank"] == 1
    assert sorted(row["rank"] for row in found.values()) == list(range(1, 9))
    # hub knows a, b, c, d, gone; a and b know each other and all of a-d the firm.
    assert found["hub"]["brokerage"] == pytest.approx(5 - 2 * 1 / 5)
    assert (found["hub"]["core"], found["hub"]["reach"]) == (2, 6)
    assert (found["quiet"]["core"], found["quiet"]["brokerage"], found["quiet"]["reach"]) == (0, 0, 0)
    assert found["quiet"]["community_rank"] is None
    assert {row["community_rank"] for name, row in found.items() if name in "xy"} == {1, 2}
    assert all(row["adoptions_led"] is None and row["evidence"] is None for row in found.values())


def test_adoptions_after_the_customers_own_are_counted(tmp_path: Path) -> None:
    lake = world(tmp_path, star(), [user(n) for n in ["hub", *"abcd", "far", "late", "last"]])
    days = {"hub": "2026-05-01", "a": "2026-05-05", "b": "2026-05-31", "c": "2026-06-01", "d": "2026-04-30"}
    put_subscriptions(
        lake,
        [(u, "p", day) for u, day in days.items()]
        + [("far", "p", "2026-05-02"), ("late", "p", "2026-06-20"), ("last", "p", "2026-07-20")]
        + [("a", "q", "2026-05-02")],
    )
    analyse(lake, settings())
    found = by_user(lake, "leaders")
    # a and b follow within 30 days, c a day too late, d was first; d leads the hub.
    led_ = {n: found[n]["adoptions_led"] for n in found}
    assert led_ == {"hub": 2, "a": 0, "b": 0, "c": 0, "d": 1, "far": 0, "late": 0, "last": 0}
    # Of 7 other adopters 3 (far, a, b) are in time; that of 4 contacts 2 or 3 are: (3 * 6 + 1 * 4) / 35.
    assert found["hub"]["evidence"] == pytest.approx(22 / 35)
    # Of d's 7 others 3 (hub, far, a, not b, who is a day late) are in time; hub is one
    assert found["d"]["evidence"] == pytest.approx(3 / 7)
    assert found["far"]["evidence"] is None
    assert found["a"]["evidence"] == 1.0


def test_what_was_used_when_records_begin_is_no_adoption(tmp_path: Path) -> None:
    lake = world(tmp_path, star(), [user(n) for n in ["hub", *"abcd"]])
    uses = [("hub", "2026-05-01"), ("a", "2026-05-02"), ("b", "2026-06-10"), ("c", "2026-06-20"), ("hub", "2026-06-01")]
    moments = [dt.datetime.fromisoformat(day) for _, day in uses]
    table = pa.table(
        {
            "user": pa.array([number(u) for u, _ in uses], pa.binary()),
            "app": ["maps"] * len(uses),
            "at": pa.array(moments, pa.timestamp("us")),
            "day": pa.array([m.date() for m in moments], pa.date32()),
        }
    )
    lake.write_partition("app_usage", "month", "2026-05", table)
    analyse(lake, settings())
    assert {row["adoptions_led"] for row in by_user(lake, "leaders").values()} == {0}


def test_evidence_is_what_shuffling_the_times_gives() -> None:
    rng = np.random.default_rng(3)
    n, items = 60, 30
    tie = np.triu(rng.random((n, n)) < 0.15, 1)
    tie = tie | tie.T
    starts = np.concatenate([[0], np.cumsum(tie.sum(1))])
    contact = np.nonzero(tie)[1].astype(np.int32)
    adopters = [np.sort(rng.choice(n, 25, replace=False)) for _ in range(items)]
    days = [rng.integers(0, 200, 25) for _ in adopters]

    def adoptions(days: list[np.ndarray]) -> Adoptions:
        order = [np.argsort(d, kind="stable") for d in days]
        users = np.concatenate([a[o] for a, o in zip(adopters, order, strict=True)]).astype(np.int32)
        return Adoptions(
            users,
            np.concatenate([d[o] for d, o in zip(days, order, strict=True)]).astype(np.int32),
            np.arange(items + 1) * 25,
        )

    def plain(days: list[np.ndarray]) -> np.ndarray:
        found = np.zeros(n, np.int64)
        for who, when in zip(adopters, days, strict=True):
            ahead = when[None, :] - when[:, None]
            np.add.at(found, who, (tie[np.ix_(who, who)] & (ahead > 0) & (ahead <= 30)).sum(1))
        return found

    followed, evidence = led(adoptions(days), starts, contact)
    assert followed.tolist() == plain(days).tolist()
    shuffled = np.zeros(n)
    for _ in range(400):
        for user_ in [0, 1, 2]:
            fixed = []
            for who, when in zip(adopters, days, strict=True):
                rest = np.flatnonzero(who != user_)
                mixed = when.copy()
                mixed[rest] = rng.permutation(when[rest])
                fixed.append(mixed)
            shuffled[user_] += plain(fixed)[user_] >= followed[user_]
    assert evidence[:3] == pytest.approx(shuffled[:3] / 400, abs=0.08)


@given(st.lists(st.tuples(*[st.integers(0, 6)] * 4), min_size=1, max_size=4))
@settings_(max_examples=50, deadline=None)
def test_evidence_is_the_convolution_of_hypergeometric_chances(items: list[tuple[int, int, int, int]]) -> None:
    # an item: others of the adopters, those of them in time, contacts among the others, followers
    rows = [(n + 1, min(m, n + 1), 1 + min(k, n), 0) for n, m, k, _ in items]
    rows = [(n, m, k, max(k + m - n, min(x, k, m))) for (n, m, k, _), (*_, x) in zip(rows, items, strict=True)]
    others, later, shared, followed = (np.array(column) for column in zip(*rows, strict=True))
    total, p = _evidence(np.array([0, len(rows)]), shared, followed, later, others)
    whole = np.ones(1)
    for n, m, k, _ in rows:
        whole = np.convolve(whole, hypergeom.pmf(np.arange(k + 1), n, m, k))
    assert total.tolist() == [followed.sum()]
    assert p[0] == pytest.approx(whole[followed.sum() :].sum())


def test_position_and_evidence_are_joined_as_fisher_did() -> None:
    p, q = np.array([0.3, 0.01, 1.0]), np.array([0.2, 0.5, 1.0])
    wanted = [1 - combine_pvalues(pair).pvalue for pair in zip(p, q, strict=True)]
    assert _joined(p, q) == pytest.approx(wanted)
