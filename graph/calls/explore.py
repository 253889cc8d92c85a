"""Ego networks: one customer's contacts, and theirs, over chosen periods; and communities as graphs.

Customers who do not consent stay in the structure that everything is computed from, but are not shown: their
nodes and links are left out and counted as `withheld`.
"""

from __future__ import annotations

import uuid
from typing import Any

import ibis
import networkx as nx
import pyarrow as pa

from lake.errors import BadValue, NotReady, UnknownName
from lake.periods import last_day
from lake.tables import Lake

CAP = 500
MEMBERS = 5000
WEIGHTS = ("calls_out", "calls_in", "seconds_out", "seconds_in", "messages_out", "messages_in", "days")


def ego(lake: Lake, user: bytes, hops: int = 1, periods: list[str] | None = None, cap: int = CAP) -> dict[str, Any]:
    """The network within one or two hops of a customer.

    Parameters: `user` a pseudonym of 16 bytes; `periods` those to look at (all by default); `cap` how many
    others at most, those with the most calls and messages along the way first.

    Returns `user`, `hops`, `periods`, `nodes` (`user, hop, off_net, left, community, strength`), `links` between
    any two nodes (`user, contact, period` and the weights as `contacts` has them, each pair and period once, seen
    from the smaller pseudonym), `capped` (others were left out for `cap`) and `withheld` (others left out for consent).
    Pseudonyms are text. `community` is that of level 0 in the last of the periods; `left` says that the customer's
    status is left, that they left by the end of the last of the periods, or that their last period in `circles` lies
    before it.

    Raises NotReady without contacts, UnknownName for a user or period that the lake does not have, BadValue for
    hops other than 1 and 2. A customer who does not consent has an empty network.
    """
    if hops not in (1, 2):
        raise BadValue(f"hops is {hops}", "1 or 2 would work")
    if cap < 1:
        raise BadValue(f"cap is {cap}", "a number above 0 would work")
    known = lake.partitions("contacts")
    if not known:
        raise NotReady("the lake has no contacts", "load calls, then run `dumbbell analyse`")
    wanted = known if periods is None else sorted(set(periods))
    for period in wanted:
        if period not in known:
            raise UnknownName(f"there are no contacts of the period {period}", f"{known[0]} to {known[-1]} would work")
    customers = lake.scan("customers")
    center = customers.filter(customers.user == ibis.literal(user, "binary")).select("consent").to_pyarrow()
    if not center.num_rows:
        raise UnknownName("no customer has this pseudonym", "see `dumbbell pseudonym` for the one of a number")
    empty = {"user": _text(user), "hops": hops, "periods": wanted, "nodes": [], "links": []}
    if center["consent"][0].as_py() is False:
        return {**empty, "capped": False, "withheld": 0}
    ring = {user: (0, 0)}
    withheld: set[bytes] = set()
    capped = False
    for hop in range(1, hops + 1):
        near, hidden, more = _ring(lake, wanted, ring, hop, cap + 1 - len(ring))
        ring |= near
        withheld |= hidden
        capped |= more
    links = _links(lake, wanted, list(ring))
    return {**empty, "nodes": _nodes(lake, wanted, ring), "links": links, "capped": capped, "withheld": len(withheld)}


def ego_graph(lake: Lake, user: bytes, hops: int = 1, periods: list[str] | None = None, cap: int = CAP) -> nx.Graph:
    """`ego` as a networkx Graph: nodes by pseudonym with their columns, edges with the weights of all periods added.

    Edges also carry `strength` (calls and messages), and `periods`; `capped` and `withheld` are in `graph.graph`.
    """
    return _graph(ego(lake, user, hops, periods, cap))


def community_graph(lake: Lake, community: str, period: str | None = None, cap: int = MEMBERS) -> nx.Graph:
    """The members of a community in a period (the last one without), and whom of them they talk with, as `ego_graph`.

    Names of both levels will do. A node has no `hop`, and its `strength` is that of its calls and messages with other
    members; of more than `cap` members the strongest are kept, and `capped` is true. Who does not consent is left
    out and counted as `withheld`.

    Raises NotReady without communities, UnknownName for a community that the period does not have.
    """
    if cap < 1:
        raise BadValue(f"cap is {cap}", "a number above 0 would work")
    if not lake.has("communities"):
        raise NotReady("the lake has no communities", "load calls, then run `dumbbell analyse`")
    rows = lake.scan("communities")
    rows = rows.filter(rows.period == (lake.partitions("contacts")[-1] if period is None else period))
    found = rows.filter(rows.community == community).select("user", "period", "level").to_pyarrow()
    if not found.num_rows:
        when = "" if period is None else f" in the period {period}"
        raise UnknownName(f"there is no community {community}{when}", "the table communities has those there are")
    wanted, level = found["period"][0].as_py(), found["level"][0].as_py()
    members = lake.scan("customers").semi_join(ibis.memtable(found.select(["user"])), "user")
    shown = members.filter(members.consent.fill_null(True)).select("user").to_pyarrow()["user"]
    ties = _rows(lake, [wanted], shown.to_pylist()) if len(shown) else None
    strength = dict.fromkeys(shown.to_pylist(), 0)
    if ties is not None:
        inside = ties.semi_join(ibis.memtable(pa.table({"contact": shown})), "contact")
        sums = inside.group_by("user").aggregate(strength=inside.strength.sum()).to_pyarrow().to_pylist()
        strength |= {row["user"]: int(row["strength"]) for row in sums}
    kept = sorted(strength, key=lambda user: (-strength[user], user))[:cap]
    nodes = _nodes(lake, [wanted], {user: (0, strength[user]) for user in kept}, level)
    facts = {"community": community, "periods": [wanted], "capped": len(strength) > cap}
    withheld = found.num_rows - len(strength)
    nodes = [{name: value for name, value in node.items() if name != "hop"} for node in nodes]
    links = _links(lake, [wanted], kept) if kept else []
    return _graph({**facts, "withheld": withheld, "nodes": nodes, "links": links})


def _graph(found: dict[str, Any]) -> nx.Graph:
    """Nodes and links as a graph, the rest as its attributes."""
    graph = nx.Graph(**{name: value for name, value in found.items() if name not in ("nodes", "links")})
    for node in found["nodes"]:
        graph.add_node(node["user"], **{name: value for name, value in node.items() if name != "user"})
    for link in found["links"]:
        ends = link["user"], link["contact"]
        if not graph.has_edge(*ends):
            graph.add_edge(*ends, **dict.fromkeys(WEIGHTS, 0), strength=0, periods=[])
        edge = graph.edges[ends]
        for name in WEIGHTS:
            edge[name] += link[name]
        edge["strength"] += sum(link[name] for name in WEIGHTS if name.startswith(("calls", "messages")))
        edge["periods"].append(link["period"])
    return graph


def _rows(lake: Lake, periods: list[str], users: list[bytes]) -> ibis.Table:
    """Contacts of these users in these periods, with `period` and `strength`."""
    some = ibis.memtable(pa.table({"user": pa.array(users, pa.binary())}))
    low, high = ibis.literal(min(users), "binary"), ibis.literal(max(users), "binary")
    parts = []
    for period in periods:
        rows = lake.scan("contacts", period)
        rows = rows.filter(rows.user.between(low, high)).semi_join(some, "user")  # the range skips row groups
        strength = rows.calls_out + rows.calls_in + rows.messages_out + rows.messages_in
        parts.append(rows.mutate(period=ibis.literal(period), strength=strength))
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


def _ring(
    lake: Lake, periods: list[str], ring: dict[bytes, tuple[int, int]], hop: int, room: int
) -> tuple[dict[bytes, tuple[int, int]], set[bytes], bool]:
    """The next hop: who is in it with their strength, who is withheld, and whether there were more than `room`."""
    edge = [user for user, (at, _) in ring.items() if at == hop - 1]
    if not edge:
        return {}, set(), False
    rows = _rows(lake, periods, edge)
    near = rows.group_by(user=rows.contact).aggregate(strength=rows.strength.sum())
    near = near.anti_join(ibis.memtable(pa.table({"user": pa.array(list(ring), pa.binary())})), "user")
    customers = lake.scan("customers").select(key="user", consent="consent")
    near = near.left_join(customers, near.user == customers.key)
    found = near.select("user", "strength", shown=near.consent.fill_null(True))
    shown = found.filter(found.shown).order_by(ibis.desc("strength"), "user").limit(room + 1).to_pyarrow().to_pylist()
    hidden = found.filter(~found.shown).select("user").to_pyarrow()["user"].to_pylist()
    taken = {row["user"]: (hop, int(row["strength"])) for row in shown[:room]}
    return taken, set(hidden), len(shown) > room


def _nodes(lake: Lake, periods: list[str], ring: dict[bytes, tuple[int, int]], level: int = 0) -> list[dict[str, Any]]:
    some = ibis.memtable(pa.table({"user": pa.array(list(ring), pa.binary())}))
    facts = {
        row["user"]: row
        for row in lake.scan("customers")
        .semi_join(some, "user")
        .select("user", "off_net", "status", "left_on")
        .to_pyarrow()
        .to_pylist()
    }
    community: dict[bytes, str] = {}
    if lake.has("communities"):
        rows = lake.scan("communities").filter(lambda t: (t.period == periods[-1]) & (t.level == level))
        found = rows.semi_join(some, "user").select("user", "community").to_pyarrow().to_pylist()
        community = {row["user"]: row["community"] for row in found}
    last: dict[bytes, str] = {}
    if lake.has("circles"):
        rows = lake.scan("circles").semi_join(some, "user")
        found = rows.group_by("user").aggregate(last=rows.period.max()).to_pyarrow().to_pylist()
        last = {row["user"]: row["last"] for row in found}
    return [
        {
            "user": _text(user),
            "hop": hop,
            "off_net": facts[user]["off_net"],
            "left": _has_left(facts[user], last.get(user), periods[-1]),
            "community": community.get(user),
            "strength": strength,
        }
        for user, (hop, strength) in sorted(ring.items(), key=lambda item: (item[1][0], -item[1][1], item[0]))
    ]


def _has_left(facts: dict[str, Any], last: str | None, period: str) -> bool:
    by_day = facts["left_on"] is not None and facts["left_on"] <= last_day(period)
    return facts["status"] == "left" or by_day or (last is not None and last < period)


def _links(lake: Lake, periods: list[str], users: list[bytes]) -> list[dict[str, Any]]:
    some = ibis.memtable(pa.table({"contact": pa.array(users, pa.binary())}))
    rows = _rows(lake, periods, users)
    # Off-net numbers have rows of their own, so every pair is found from its smaller side.
    rows = rows.filter(rows.user < rows.contact).semi_join(some, "contact").order_by("period", "user", "contact")
    found = rows.select("user", "contact", "period", *WEIGHTS).to_pyarrow().to_pylist()
    return [{**row, "user": _text(row["user"]), "contact": _text(row["contact"])} for row in found]


def _text(user: bytes) -> str:
    return str(uuid.UUID(bytes=user))
