"""Ego networks on a hand-made graph: rings, caps, consent, who left."""

from __future__ import annotations

import datetime as dt
import uuid
from pathlib import Path

import pyarrow as pa
import pytest

from graph.calls.analyse import analyse
from graph.calls.explore import community_graph, ego, ego_graph
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
    users = [user(name) for name in ("a", "b", "e", "late")] + [user("d", left_on=dt.date(2026, 6, 1))]
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


def test_weights_are_those_of_the_chosen_periods(tmp_path: Path) -> None:
    lake = make(tmp_path)
    links = ego(lake, number("a"), periods=["2026-06"])["links"]
    assert [(named(link["user"]), named(link["contact"]), link["calls_out"], link["days"]) for link in links] == [
        ("a", "b", 1, 1)
    ]
    both = ego(lake, number("a"), periods=["2026-06", "2026-05"])
    assert both["periods"] == ["2026-05", "2026-06"]
    assert {link["period"] for link in both["links"]} == {"2026-05", "2026-06"}


def test_who_left_is_shown_and_marked_also_two_hops_away(tmp_path: Path) -> None:
    found = ego(make(tmp_path), number("late"), hops=2)
    nodes = {named(node["user"]): (node["hop"], node["left"]) for node in found["nodes"]}
    assert nodes == {"late": (0, False), "b": (1, False), "a": (2, False), "c": (2, True), "d": (2, True)}
    in_may = ego(make(tmp_path), number("b"), periods=["2026-05"])["nodes"]
    assert {named(node["user"]): node["left"] for node in in_may} == {"b": False, "a": False, "c": True, "d": False}


def put_communities(lake: Lake) -> None:
    """In May a, b, c, d and shy are f1, which lies in c1 with e."""
    fine = [(name, 0, "f1") for name in ("a", "b", "c", "d", "shy")]
    rows = [*fine, *[(name, 1, "c1") for name in ("a", "b", "c", "d", "e", "shy")]]
    rows = [(number(name), "2026-05", level, community, 5) for name, level, community in rows]
    names = ("user", "period", "level", "community", "size")
    lake.write("communities", pa.table(dict(zip(names, zip(*rows, strict=True), strict=True))))


def test_a_community_as_a_graph(tmp_path: Path) -> None:
    lake = make(tmp_path)
    put_communities(lake)
    graph = community_graph(lake, "f1", "2026-05")
    strength = {named(node): value for node, value in graph.nodes(data="strength")}
    assert strength == {"b": 6, "a": 6, "c": 3, "d": 1}  # a-b 4, a-c 2, b-c 1, b-d 1; shy and off-net apart
    edges = {frozenset(map(named, ends)): facts["strength"] for *ends, facts in graph.edges(data=True)}
    assert edges == {frozenset("ab"): 4, frozenset("ac"): 2, frozenset("bc"): 1, frozenset("bd"): 1}
    assert (graph.graph["withheld"], graph.graph["capped"], graph.graph["periods"]) == (1, False, ["2026-05"])
    assert {named(node) for node, left in graph.nodes(data="left") if left} == {"c"}
    assert set(community_graph(lake, "c1", "2026-05").nodes) == {*graph.nodes, str(uuid.UUID(bytes=number("e")))}
    capped = community_graph(lake, "f1", "2026-05", cap=2)
    assert ([named(node) for node in capped], capped.graph["capped"]) == (["a", "b"], True)


def test_communities_that_are_not_there(tmp_path: Path) -> None:
    lake = make(tmp_path)
    put_communities(lake)
    with pytest.raises(UnknownName, match="no community f9 in the period 2026-05"):
        community_graph(lake, "f9", "2026-05")
    with pytest.raises(UnknownName, match="no community f1:"):
        community_graph(lake, "f1")  # none in June
    with pytest.raises(BadValue, match="cap is 0"):
        community_graph(lake, "f1", cap=0)
    with pytest.raises(NotReady, match="communities"):
        community_graph(Lake(tmp_path / "none"), "f1")


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
