from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from embeddings.catalogue import read_catalogue
from embeddings.offers import channel_table, offer_tables
from embeddings.popularity import read_segments

AT = dt.datetime(2026, 3, 1)


def _user(i: int) -> bytes:
    return i.to_bytes(8, "big") + bytes(8)


def _responses(rows: list[tuple]) -> pa.Table:
    return pa.table(
        {
            "user": pa.array([_user(r[0]) for r in rows], pa.binary()),
            "offer": [r[1] for r in rows],
            "channel": [r[2] for r in rows],
            "at": pa.array([AT + dt.timedelta(minutes=i) for i in range(len(rows))], pa.timestamp("us")),
            "outcome": [r[3] for r in rows],
            "decision": pa.array([r[4] for r in rows], pa.string()),
        }
    )


@pytest.fixture
def answered(lake, write):
    write["customers"](lake, 4)
    lake.write("offers", pa.table({"offer": ["a", "b", "never"], "product": ["p", "q", "p"]}))
    lake.write("segments", pa.table({"user": [_user(0), _user(1)], "segment": ["young", "old"]}))
    rows = [(0, "a", "sms", "shown", "d1"), (0, "a", "sms", "accepted", "d1"), (1, "a", "sms", "refused", None)]
    rows += [(9, "a", "app", "ignored", None), (2, "b", "app", "accepted", None), (2, "gone", "app", "shown", None)]
    lake.write_partition("responses", "month", "2026-03", _responses(rows))
    return lake


def test_counts_a_decision_once_and_smooths_towards_the_mean(answered):
    nodes = read_catalogue(answered)
    tables = offer_tables(answered, nodes, read_segments(answered, nodes))
    offers = tables["offers"].to_pydict()
    assert offers["offer"] == ["a", "b", "never"]
    assert offers["shown"] == [3, 1, 0]
    assert offers["accepted"] == [1, 1, 0]
    general = (2 + 20 * 0.05) / (4 + 20)
    assert offers["acceptance"] == pytest.approx([(1 + 20 * general) / 23, (1 + 20 * general) / 21, general])
    segments = tables["offer_segments"].to_pydict()
    assert list(zip(segments["offer"], segments["segment"], segments["shown"], strict=True)) == [
        ("a", "old", 1),
        ("a", "young", 1),
    ]
    assert segments["acceptance"][0] == pytest.approx(20 * offers["acceptance"][0] / 21)


def test_an_answer_that_came_back_in_the_feed_counts_once(answered):
    feed = answered.read("responses")
    answers = feed.append_column("kind", pa.array(["offer"] * 6)).append_column("item", feed["offer"])
    answered.write("answers", answers)
    nodes = read_catalogue(answered)
    tables = offer_tables(answered, nodes, read_segments(answered, nodes))
    assert tables["offers"]["shown"].to_pylist() == [3, 1, 0]


def test_channels_that_showed_something(answered):
    channels = channel_table(answered).to_pydict()
    assert channels["channel"] == ["app", "sms"]
    assert channels["shown"] == [3, 2]
    assert channels["accepted"] == [1, 1]
    assert np.all((np.array(channels["acceptance"]) > 0) & (np.array(channels["acceptance"]) < 1))


def test_without_offers_or_responses_the_tables_are_empty(lake, write):
    write["customers"](lake, 2)
    nodes = read_catalogue(lake)
    tables = offer_tables(lake, nodes, read_segments(lake, nodes))
    assert tables["offers"].num_rows == tables["offer_segments"].num_rows == channel_table(lake).num_rows == 0
