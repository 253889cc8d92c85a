"""Tables as data frames: text for pseudonyms, nobody who does not consent, one period."""

from __future__ import annotations

import uuid
from pathlib import Path

import pyarrow as pa
import pytest

from graph.calls.analyse import analyse
from graph.calls.frames import frame, pandas
from lake.errors import BadValue, NotReady
from lake.tables import Lake
from tests.graph.calls.world import call, name_of, number, settings, user, world


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """a and b talk in May and June; shy, who talks with both, does not consent."""
    folder: Path = tmp_path_factory.mktemp("frames")
    rows = [call("a", "b", "2026-05-01 10:00:00"), call("a", "b", "2026-06-01 10:00:00")]
    rows += [call("a", "shy", "2026-05-01 10:00:00"), call("shy", "b", "2026-06-01 10:00:00")]
    made = world(folder, rows, [user("a"), user("b"), user("shy", consent=False)])
    analyse(made, settings())
    pairs = {"user": [number("a"), number("a")], "candidate": [number("b"), number("shy")], "rank": [1, 2]}
    made.write("returning", pa.table({name: pa.array(values) for name, values in pairs.items()}))
    made.write("apps", pa.table({"app": ["maps", "chat"]}))
    return made


def names(column: list[str]) -> list[str]:
    return [name_of(uuid.UUID(text).bytes) for text in column]


def test_nobody_who_does_not_consent(lake: Lake) -> None:
    assert names(frame(lake, "customers", ["user"])["user"].to_list()) == ["a", "b"]
    circles = frame(lake, "circles", ["user", "period", "contacts"])
    assert circles["period"].to_list() == ["2026-05", "2026-05", "2026-06", "2026-06"]
    assert names(circles["user"].to_list()) == ["a", "b", "a", "b"]
    assert circles["contacts"].to_list() == [2, 1, 1, 2]  # shy counts in them
    contacts = frame(lake, "contacts", ["user", "contact", "calls_out"])
    assert [tuple(names(list(row[:2]))) for row in contacts.rows()] == [("a", "b"), ("a", "b"), ("b", "a"), ("b", "a")]
    assert names(frame(lake, "returning")["candidate"].to_list()) == ["b"]


def test_one_period_and_a_limit(lake: Lake) -> None:
    assert frame(lake, "contacts", period="2026-06").height == 2
    assert frame(lake, "circles", period="2026-06")["period"].to_list() == ["2026-06"] * 2
    assert frame(lake, "circles", limit=1).height == 1


def test_tables_without_customers_as_they_are(lake: Lake) -> None:
    assert frame(lake, "apps")["app"].to_list() == ["chat", "maps"]


def test_as_pandas(lake: Lake) -> None:
    found = pandas(lake, "circles", ["user", "contacts", "lost"])
    assert found["lost"].isna().sum() == 2  # a first period has no former one
    assert str(found.dtypes["lost"]).startswith("int64")
    assert list(found.columns) == ["user", "contacts", "lost"]


def test_what_is_not_there_is_said(lake: Lake) -> None:
    with pytest.raises(NotReady, match="no table nothing"):
        frame(lake, "nothing")
    with pytest.raises(BadValue, match="no column contact: it has"):
        frame(lake, "leaders", ["contact"])
    with pytest.raises(BadValue, match="no period 2020-01: it has 2026-05, 2026-06"):
        frame(lake, "contacts", period="2020-01")
    with pytest.raises(BadValue, match="no period 2026-05: leave it out"):
        frame(lake, "leaders", period="2026-05")
