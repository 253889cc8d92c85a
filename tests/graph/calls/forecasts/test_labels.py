"""Who leaves, takes a handset or orders a pack, and what may be learnt from when."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np

from graph.calls import contacts
from graph.calls.forecasts.history import History
from graph.calls.forecasts.labels import CHURN, DATA_PACK, HANDSET_CHANGE
from graph.calls.forecasts.split import learnt, needed, sample
from graph.calls.lifetimes import read
from tests.graph.calls.forecasts.made import planted, put
from tests.graph.calls.world import call, name_of, settings, user, world

DAY = dt.date


def who(history: History, answer: np.ndarray) -> str:
    return "".join(name_of(u) for u, yes in zip(history.customers.users.to_pylist(), answer, strict=True) if yes)


def history_of(folder: Path, *users: dict[str, object]) -> History:
    """Months March to June, in which everybody rings `z` as long as they are there; `s` and `q` fall silent."""
    until = {"s": 4, "q": 3}
    rows = [
        call(name_of(u["user"]), "z", f"2026-{m:02d}-02 10:00:00")  # type: ignore[arg-type]
        for u in users
        for m in range(3, 7)
        if m <= until.get(name_of(u["user"]), 6)  # type: ignore[arg-type]
    ]
    lake = world(folder, rows, [*users, user("z", status="active")])
    contacts.build(lake, settings())
    return History(lake, read(lake, "month", DAY(2026, 7, 1)))


def test_leaving(tmp_path: Path) -> None:
    """By date, by status (the first silent month), by silence where nothing is said; not on a day to come."""
    history = history_of(
        tmp_path,
        user("a", left_on=DAY(2026, 4, 30)),
        user("b", left_on=DAY(2026, 5, 1)),
        user("c", left_on=DAY(2026, 7, 20), status="active"),
        user("q", status="left"),
        user("s"),
    )
    assert who(history, CHURN.of(history, 0)) == "abqs"
    assert who(history, CHURN.of(history, 1)) == "bs"
    assert who(history, CHURN.of(history, 2)) == ""
    assert who(history, history.present(0)) == "abcqsz"
    assert who(history, history.present(1)) == "bcsz"
    assert who(history, history.present(3)) == "cz"


def test_handsets_and_packs_of_the_next_month(tmp_path: Path) -> None:
    history = history_of(tmp_path, *(user(name, status="active") for name in "abc"))
    put(
        history.lake,
        "user_handsets",
        {"user": "a", "handset": "1", "since": DAY(2026, 1, 1)},
        {"user": "a", "handset": "2", "since": DAY(2026, 5, 1)},
        {"user": "b", "handset": "1", "since": DAY(2026, 5, 1)},
    )
    put(history.lake, "products", {"product": "d", "kind": "data_pack"}, {"product": "p", "kind": "plan"})
    put(
        history.lake,
        "subscriptions",
        {"user": "c", "product": "d", "since": DAY(2026, 5, 31)},
        {"user": "b", "product": "p", "since": DAY(2026, 5, 3)},
    )
    assert who(history, HANDSET_CHANGE.of(history, 1)) == "a"  # b had none before
    assert who(history, HANDSET_CHANGE.of(history, 2)) == ""
    assert who(history, DATA_PACK.of(history, 1)) == "c"
    assert who(history, DATA_PACK.of(history, 2)) == ""


def test_a_forecast_learns_only_answers_that_are_known() -> None:
    assert list(learnt(5, 2)) == [0, 1, 2, 3]
    assert list(learnt(3, 2)) == [0, 1]
    for horizon in (1, 2, 3):
        last = needed(horizon) - 1
        assert len(learnt(last - horizon, horizon)) == 1
        assert len(learnt(last - 1 - horizon, horizon)) == 0


def test_later_answers_do_not_reach_the_sample(tmp_path: Path) -> None:
    left = np.random.default_rng(0).integers(0, 12, 300)
    value = {"events": np.arange(1800.0).reshape(300, 6)}
    found = []
    for folder, until in ((tmp_path / "a", left), (tmp_path / "b", np.where(left > 3, 99, left))):
        history = planted(folder, 300, until, value, 6)
        found.append(sample(history, CHURN, learnt(3, 2), ["events"]))
    assert found[0].y.any()
    for one, other in zip(*((s.X, s.y, s.fold, s.place) for s in found), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_customer_is_in_one_fold_in_every_period(tmp_path: Path) -> None:
    history = planted(tmp_path, 200, np.full(200, 9), {"events": np.tile(np.arange(200.0)[:, None], 3)}, 3)
    known = sample(history, CHURN, range(3), ["events"])
    folds = {(int(x), int(fold)) for x, fold in zip(known.X[:, 0], known.fold, strict=True)}
    assert len(folds) == 200
    assert np.bincount(known.fold).min() > 40


def test_a_period_that_is_not_over_is_not_stood_on(tmp_path: Path) -> None:
    """Records end on 12 June: what is foreseen begins after May, and who left in June is known to have."""
    rows = [call(name, "z", f"2026-0{month}-{day} 10:00:00") for name in "ab" for month in (4, 5) for day in (10, 30)]
    rows += [call("a", "z", "2026-06-12 10:00:00")]
    lake = world(tmp_path, rows, [user("a"), user("b", left_on=DAY(2026, 6, 5)), user("z")])
    contacts.build(lake, settings())
    history = History(lake, read(lake, "month", DAY(2026, 6, 13)))
    assert history.periods[history.last] == "2026-05"
    assert who(history, history.present(history.last)) == "abz"
    assert who(history, history.staying()) == "az"
