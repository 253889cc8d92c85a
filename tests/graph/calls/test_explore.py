"""Ego networks on a hand-made graph: rings, caps, consent, who left."""

from __future__ import annotations

import datetime as dt
import uuid
from pathlib import Path

import pytest

from graph.calls.analyse import analyse
from graph.calls.explore import ego, ego_graph
from lake.errors import BadValue, NotReady, UnknownName
from lake.tables import Lake
from tests.graph.calls.world import call, message, name_of, number, settings, user, world


def make(folder: Path) -> Lake:
    rows = [
        *[call("a", "b", f"2026-05-0{d} 10:00:00") for d in (1, 2, 3)],
        message("b", "a", "2026-05-04 10:00:00"),
        call("a", "c", "2026-05-01 10:00:00"),
        call("c", "a", "2026-05-02 10:00:00"),
        call("a", "Off", "2026-05-01 10:00:00"),
        call("a", "shy", "2026-05-01 10:00:00"),
        call("b", "c", "2026-05-05 10:00:00"),
        call("b", "d", "2026-05-05 10:00:00"),
        call("shy", "e", "2026-05-05 10:00:00"),
        call("a", "b", "2026-06-01 10:00:00"),
        call("b", "late", "2026-06-01 10:00:00"),
    ]
    users = [user(name) for name in ("a", "b", "d", "e", "late")]
    users += [user("c", left_on=dt.date(2026, 5, 20), status="left"), user("shy", consent=False)]
    lake = world(folder, rows, users)
    analyse(lake, settings())
    return lake


def named(text: str) -> str:
    return name_of(uuid.UUID(text).bytes)


def test_one_hop(tmp_path: Path) -> None:
    found = ego(make(tmp_path), number("a"))
    nodes = {named(node["user"]): node for node in found["nodes"]}
    assert list(nodes) == ["a", "b", "c", "Off"]
    assert [nodes[n]["hop"] for n in nodes] == [0, 1, 1, 1]
    assert [nodes[n]["strength"] for n in nodes] == [0, 5, 2, 1]
    assert [nodes[n]["off_net"] for n in nodes] == [False, False, False, True]
    assert [nodes[n]["left"] for n in nodes] == [False, False, True, False]
    assert nodes["a"]["community"] == nodes["b"]["community"]
    assert nodes["Off"]["community"] is None
    links = {(named(link["user"]), named(link["contact"]), link["period"]): link for link in found["links"]}
    assert sorted(links) == [
        ("Off", "a", "2026-05"),
        ("a", "b", "2026-05"),
        ("a", "b", "2026-06"),
        ("a", "c", "2026-05"),
        ("b", "c", "2026-05"),
    ]
    assert (links["a", "b", "2026-05"]["calls_out"], links["a", "b", "2026-05"]["messages_in"]) == (3, 1)
    assert (found["capped"], found["withheld"], found["periods"]) == (False, 1, ["2026-05", "2026-06"])


def test_two_hops_do_not_lead_through_who_does_not_consent(tmp_path: Path) -> None:
    found = ego(make(tmp_path), number("a"), hops=2, periods=["2026-05"])
    assert {named(n["user"]): n["hop"] for n in found["nodes"]} == {"a": 0, "b": 1, "c": 1, "Off": 1, "d": 2}
    assert found["withheld"] == 1
    assert ego(make(tmp_path), number("shy"))["nodes"] == []


def test_the_cap_keeps_the_strongest_and_says_so(tmp_path: Path) -> None:
    lake = make(tmp_path)
    found = ego(lake, number("a"), cap=2)
    assert [named(n["user"]) for n in found["nodes"]] == ["a", "b", "c"]
    assert found["capped"] is True
    assert ego(lake, number("a"), cap=3)["capped"] is False


def test_as_a_networkx_graph(tmp_path: Path) -> None:
    graph = ego_graph(make(tmp_path), number("a"))
    a, b = (str(uuid.UUID(bytes=number(n))) for n in "ab")
    assert graph.number_of_nodes() == 4
    assert graph.edges[a, b]["strength"] == 5
    assert graph.edges[a, b]["periods"] == ["2026-05", "2026-06"]
    assert graph.nodes[b]["hop"] == 1
    assert graph.graph["withheld"] == 1


def test_what_cannot_be_shown_is_said(tmp_path: Path) -> None:
    lake = make(tmp_path)
    with pytest.raises(BadValue, match="hops is 3"):
        ego(lake, number("a"), hops=3)
    with pytest.raises(BadValue, match="cap is 0"):
        ego(lake, number("a"), cap=0)
    with pytest.raises(UnknownName, match="2025-01"):
        ego(lake, number("a"), periods=["2025-01"])
    with pytest.raises(UnknownName, match="pseudonym"):
        ego(lake, number("nobody"))
    with pytest.raises(NotReady, match="contacts"):
        ego(Lake(tmp_path / "none"), number("a"))
