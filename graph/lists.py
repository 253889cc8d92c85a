"""Lists for those who keep customers: who may leave, and who left and may have come back.

Nobody is named who does not consent, and of those who may leave nobody who has left. The graph says in which order and
who may be named, by its indexes, so that a page costs as much in a big network as in a small one; reasons
are read with the customers. Candidates of returning customers, up to five a leaver, come from the lake: only the
sure ones are edges.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import ibis
import pyarrow as pa

from graph.store import Store
from lake.errors import NotReady
from lake.pseudonyms import from_text, to_text
from lake.tables import Lake

STAGES = ("decision", "circle", "experience", "stable")
"""The stages before leaving, the last one first."""

MAY_BE_LISTED = "user.consent AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']"
HAS_LEFT = (
    "(coalesce(user.left, false) OR coalesce(user.status, '') = 'left' OR coalesce(user.left_on < $today, false))"
)

FILTERS = {
    "stage": "user.churn_stage = $stage",
    "decile": "user.churn_decile = $decile",
    "period": "user.churn_period = $period",
    "community": "user.communities_community = $community",
    "segment": "EXISTS { (user)-[:IN_SEGMENT]->(:Segment {segment: $segment}) }",
}
BY_PROBABILITY = (
    "user.churn_probability <= $probability AND (user.churn_probability < $probability OR user.user > $after)"
)
BY_STAGE = "user.churn_stage = $place AND user.user > $after AND user.churn_probability IS NULL"
AT_RISK = f"""
MATCH (user:User) USING INDEX user:User({{index}})
WHERE {{conditions}} AND NOT user.off_net AND {MAY_BE_LISTED} AND NOT {HAS_LEFT}
RETURN user.user AS user, user.churn_probability AS probability, user.churn_decile AS decile,
       user.churn_stage AS stage, user.churn_period AS period, user.communities_community AS community,
       [(user)-[:IN_SEGMENT]->(segment) | segment.segment][0] AS segment,
       {{reasons}} AS reasons
ORDER BY {{order}} LIMIT $limit
"""
REASONS = """
  {feature: user.churn_reasons_feature, contribution: user.churn_reasons_contribution,
   words: user.churn_reasons_words}
"""

Mark = tuple[float | None, str | None, str]
"""The probability, the stage and the pseudonym of the last customer of a page."""


def at_risk(
    store: Store, today: dt.date, most: int, after: Mark | None = None, **wanted: str | int
) -> tuple[list[dict[str, Any]], Mark | None]:
    """Customers who may leave: by falling probability, then those without one by stage, the last before leaving first.

    `wanted` are the FILTERS to keep to; at most `most` customers, those `after` the mark. Returns them (`user,
    probability, decile, stage, period, community, segment, reasons`), and the mark of the last where there are more.
    The order is that of an index, which is named, as the planner would sort everybody instead.
    """
    probability, stage, user = after or (2.0, None, "")
    filters = [FILTERS[name] for name in wanted]
    found: list[dict[str, Any]] = []

    def take(condition: str, order: str, index: str, **values: Any) -> None:
        if len(found) <= most:
            index = "communities_community" if "community" in wanted else index
            conditions = " AND ".join([condition, *filters])
            query = AT_RISK.format(index=index, conditions=conditions, reasons=REASONS, order=order)
            values |= {"today": today, "limit": most + 1 - len(found), **wanted}
            found.extend(store.read(query, **values))

    if stage is None:
        order, index = "user.churn_probability DESC, user.user", "churn_probability"
        if "stage" in wanted:
            order, index = f"user.churn_stage DESC, {order}", f"churn_stage, {index}"
        take(BY_PROBABILITY, order, index, probability=probability, after=user)
        user = ""
    for place in STAGES[STAGES.index(stage) if stage else 0 :]:
        if wanted.get("stage", place) == place:
            take(BY_STAGE, "user.churn_stage, user.user", "churn_stage, user", place=place, after=user)
        user = ""
    items = [{**row, "reasons": reasons_of(row["reasons"])} for row in found[:most]]
    if len(found) <= most:
        return items, None
    last = items[-1]
    by_stage = last["probability"] is None
    return items, (last["probability"], last["stage"] if by_stage else None, last["user"])


def reasons_of(lists: dict[str, Sequence[Any] | None]) -> list[dict[str, Any]]:
    """Records out of a list a field.

    >>> reasons_of({"feature": ["kept", "fee"], "contribution": [0.5, 0.1], "words": None})
    [{'feature': 'kept', 'contribution': 0.5}, {'feature': 'fee', 'contribution': 0.1}]
    """
    there = {name: values for name, values in lists.items() if values}
    return [dict(zip(there, record, strict=True)) for record in zip(*there.values(), strict=True)]


CANDIDATES = f"""
MATCH (user:User) WHERE user.user IN $users AND {MAY_BE_LISTED}
RETURN user.user AS user, user.off_net AS off_net, user.left_on AS left_on, {HAS_LEFT} AS has_left
"""


def returned(
    lake: Lake, store: Store, today: dt.date, most: int, after: tuple[float, str] | None = None
) -> tuple[list[dict[str, Any]], tuple[float, str] | None]:
    """Customers who left, with the numbers that they may have now; the surest first.

    `user, left_on, candidates`, of which `candidate, score, shared_contacts, rank, off_net`: neither a customer nor a
    candidate who does not consent, and no candidate who has left as well. `after` is the score of the first
    candidate and the pseudonym of the last customer of the page before; returned again where there are more.
    Raises NotReady before there is an analysis.
    """
    require(lake, "returning")
    found = list(itertools.islice(_leavers(lake, store, today, most + 1, after), most + 1))
    mark = found[most - 1][0] if len(found) > most else None
    return [item for _, item in found[:most]], mark


def _leavers(
    lake: Lake, store: Store, today: dt.date, some: int, after: tuple[float, str] | None
) -> Iterator[tuple[tuple[float, str], dict[str, Any]]]:
    """Each with its mark, read `some` at a time."""
    first = lake.scan("returning").filter(ibis._["rank"] == 1).select("user", "score")
    while True:
        rest = first
        if after is not None:
            score, user = after[0], ibis.literal(from_text(after[1]), "binary")
            rest = first.filter((first.score < score) | ((first.score == score) & (first.user > user)))
        leavers = rest.order_by(ibis.desc("score"), "user").limit(some).to_pyarrow()
        marks = dict(zip(to_text(leavers["user"]).to_pylist(), leavers["score"].to_pylist(), strict=True))
        for item in candidates_of(lake, store, today, leavers["user"]):
            yield (marks[item["user"]], item["user"]), item
        if leavers.num_rows < some:
            return
        last = list(marks)[-1]
        after = marks[last], last


def candidates_of(
    lake: Lake, store: Store, today: dt.date, leavers: pa.Array | pa.ChunkedArray
) -> list[dict[str, Any]]:
    """What `returned` says of these customers, in their order; who has no candidate to name is left out."""
    some = ibis.memtable(pa.table({"user": leavers.cast(pa.binary())}))
    found = lake.scan("returning").semi_join(some, "user").order_by("user", "rank").to_pyarrow()
    ends = [to_text(found[name]).to_pylist() for name in ("user", "candidate")]
    known = {row["user"]: row for row in store.read(CANDIDATES, users=sorted({*ends[0], *ends[1]}), today=today)}
    by_user: dict[str, list[dict[str, Any]]] = {}
    for user, candidate, row in zip(*ends, found.drop_columns(["user", "candidate"]).to_pylist(), strict=True):
        facts = known.get(candidate)
        if user in known and facts is not None and not facts["has_left"]:
            evidence = {name: row[name] for name in ("score", "shared_contacts", "rank")}
            by_user.setdefault(user, []).append({"candidate": candidate, **evidence, "off_net": facts["off_net"]})
    return [
        {"user": user, "left_on": known[user]["left_on"], "candidates": by_user[user]}
        for user in to_text(leavers).to_pylist()
        if user in by_user
    ]


def require(lake: Lake, table: str) -> None:
    """Raises NotReady where there is no such table of the analysis."""
    if not lake.has(table):
        raise NotReady(f"the lake has no table {table} yet", "load calls, then run `dumbbell analyse`")
