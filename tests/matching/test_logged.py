"""Showings of the log: which count, and what might have been shown instead."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from embeddings.snapshot import Snapshot
from lake.settings import load_settings
from lake.tables import Lake
from matching.logged import DAY_US, FOREVER, Closed, accepted_by_month, ends, moments, read_closed, read_shown
from matching.state import MatchState
from tests.matching.conftest import BINARY, DAY, MOMENT, TEXT, TODAY, table, user

SINCE = dt.datetime(2026, 6, 1)
AT = dt.datetime(2026, 6, 10, 12)


def micro(moment: dt.datetime) -> int:
    return int((moment - dt.datetime(1970, 1, 1)) / dt.timedelta(microseconds=1))


@pytest.fixture
def answered(lake: Lake) -> Lake:
    """Two places of one decision, a showing before, one to nobody known, and one without place or chance."""
    columns = {"user": BINARY, "offer": TEXT, "channel": TEXT, "at": MOMENT, "day": DAY, "outcome": TEXT,
               "decision": TEXT, "position": pa.int64(), "probability": pa.float64()}  # fmt: skip
    rows = [
        (user(0), "o1", "sms", AT, "accepted", "d1", 1, 0.25),
        (user(0), "o2", "sms", AT, "refused", "d1", 2, 0.5),
        (user(1), "o2", "fax", AT + dt.timedelta(days=1), "ignored", None, None, None),
        (user(1), "o1", "sms", SINCE - dt.timedelta(days=1), "accepted", "d0", 1, 0.5),
        (user(90), "o1", "sms", AT, "shown", "d2", 1, 0.5),
    ]
    for month in ("2026-05", "2026-06"):
        some = [(*r[:4], r[3].date(), *r[4:]) for r in rows if f"{r[3]:%Y-%m}" == month]
        lake.write_partition("responses", "month", month, table(columns, *some))
    return lake


def test_first_places_of_known_customers_since_then(answered: Lake, load) -> None:
    state = load()
    shown = read_shown(answered, state, SINCE)
    assert [state.offers.ids[int(i)].as_py() for i in shown.offer] == ["o1", "o2"]
    assert shown.user.tolist() == [state.customers.position(user(0)), state.customers.position(user(1))]
    assert shown.accepted.tolist() == [True, False]
    assert shown.at.tolist() == [micro(AT), micro(AT) + DAY_US]
    assert shown.probability[0] == 0.25
    assert np.isnan(shown.probability[1])
    assert shown.channel[1] == -1  # no feed names a fax
    assert shown.left_out == {"not_in_the_first_place": 1, "not_known": 1, "earlier": 0}
    assert accepted_by_month(answered) == {"2026-05": 1, "2026-06": 1}


def test_what_was_answered_or_taken_up_since_is_closed(answered: Lake, load) -> None:
    held = {"user": BINARY, "product": TEXT, "since": DAY, "until": DAY}
    answered.write("subscriptions", table(held, (user(2), "silver", AT.date(), None)))
    state = load()
    closed = read_closed(answered, state, SINCE)
    position = state.customers.position
    found = list(zip(*(getattr(closed, name).tolist() for name in ("user", "offer", "since", "until")), strict=True))
    pause = state.history.pause.days * DAY_US
    midnight = micro(dt.datetime.combine(AT.date(), dt.time()))
    assert sorted(found) == sorted(
        [
            (position(user(0)), 0, micro(AT), micro(AT) + pause),
            (position(user(0)), 1, micro(AT), micro(AT) + pause),
            (position(user(2)), 0, midnight + 2 * DAY_US, FOREVER),  # silver excludes gold, which o1 is of
        ]
    )


def test_what_was_accepted_closes_what_stands_for_it(answered: Lake, load) -> None:
    """o2 is of silver here, which gold, o1's product, excludes."""
    offers = answered.read("offers")
    at = offers.schema.get_field_index("product")
    answered.write("offers", offers.set_column(at, "product", pa.array(["gold", "silver", "pack"], TEXT)))
    state = load()
    closed = read_closed(answered, state, SINCE - dt.timedelta(days=2))
    mine = closed.user == state.customers.position(user(1))
    assert closed.offer[mine].tolist() == [0, 1]
    assert closed.since[mine].tolist() == [micro(SINCE) - DAY_US] * 2


def test_an_offer_runs_until_the_operators_midnight(home, lake: Lake, load) -> None:
    load()
    given = load_settings(home=home.root, today=TODAY, timezone="America/Lima")
    state = MatchState.load(home, given, lake, Snapshot.current(home))
    night = dt.datetime.combine(TODAY + dt.timedelta(days=1), dt.time(5))
    assert ends(lake, state)[0] == micro(night)  # o1 ends on TODAY, o2 never
    assert ends(lake, state)[1] == FOREVER


def test_a_showing_does_not_close_itself() -> None:
    closed = Closed(*(np.array(part) for part in ([3, 3], [0, 1], [10, 20], [30, FOREVER], [0, 1])))
    users, at = np.array([3, 3, 3, 4]), np.array([10, 11, 31, 25])
    mask = np.ones((4, 2), bool)
    closed.clear(users, at, mask)
    assert mask.tolist() == [[True, True], [False, True], [True, False], [True, True]]
    mask = np.ones((4, 2), bool)
    closed.clear(users, at, mask, held=True)
    assert mask.tolist() == [[True, True], [True, True], [True, False], [True, True]]


def test_what_might_have_been_shown_goes_through_the_channel_and_has_not_ended(answered: Lake, load) -> None:
    state = load()
    shown = read_shown(answered, state, SINCE)
    nothing = Closed(*(np.zeros(0, np.int64) for _ in range(5)))
    of_sms = next(some for some in moments(answered, state, shown, nothing) if 0 in some.rows)
    assert AT.date() > TODAY
    assert of_sms.suited.tolist() == [[False, True, False]]  # o1 ends on TODAY, o3 ended before
    assert not of_sms.allowed.any()  # o2 was refused, which this lake knows
    assert of_sms.scores.score.shape == (1, 3)
