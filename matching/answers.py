"""What customers answered, kept for good as `(User)-[:RESPONDED]->(Offer|App)` in Neo4j.

An edge that was recorded here carries the client's `key` and the moment `recorded`; an edge that a feed brought has no
key, and is none of this module's business.
"""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from graph.schema import RESPONDED_RULES
from graph.store import Store
from lake.errors import BadValue, EngineError, UnknownName
from lake.pseudonyms import from_text
from lake.tables import Lake
from matching.answered import OUTCOMES

KINDS = {"app": ("App", "app"), "offer": ("Offer", "offer")}
CONFLICT = "idempotency_conflict"
SCHEMA = pa.schema(
    [
        ("user", pa.binary()),
        ("kind", pa.string()),
        ("item", pa.string()),
        ("offer", pa.string()),
        ("channel", pa.string()),
        ("at", pa.timestamp("us")),
        ("outcome", pa.string()),
        ("decision", pa.string()),
        ("key", pa.string()),
        ("recorded", pa.timestamp("us")),
        ("position", pa.int64()),
        ("probability", pa.float64()),
    ]
)
"""Answers as a table; `offer` is the item where that is an offer, as in the feed `responses`, and `position` and
`probability` (of having been shown there) are those of the decision, where one is named that knows them."""

SHOWN = (
    "u.user AS user, CASE WHEN i:Offer THEN 'offer' ELSE 'app' END AS kind, coalesce(i.offer, i.app) AS item, "
    "r.channel AS channel, localdatetime(r.at) AS at, r.outcome AS outcome, r.decision AS decision, r.key AS key, "
    "localdatetime(r.recorded) AS recorded, r.position AS position, r.probability AS probability"
)
BY_KEY = f"MATCH (u:User)-[r:RESPONDED {{key: $key}}]->(i) RETURN {SHOWN}"
MAKE = (
    "MATCH (i:{label} {{{key}: $item}}) {who} "
    "MERGE (u)-[r:RESPONDED {{key: $key}}]->(i) "
    "ON CREATE SET r.channel = $channel, r.outcome = $outcome, r.at = datetime($at), r.decision = $decision, "
    "r.recorded = datetime($recorded), r.position = $position, r.probability = $probability RETURN {shown}"
)
KNOWN = "MATCH (u:User {user: $user})"
ANYBODY = "MERGE (u:User {user: $user}) ON CREATE SET u.off_net = true WITH u, i"
"""A number that no feed names may be shown something too; it becomes a user as those of other operators are."""
ALL = f"MATCH (u:User)-[r:RESPONDED]->(i) WHERE r.key IS NOT NULL RETURN {SHOWN} ORDER BY r.recorded, r.key"
SINCE = (
    f"MATCH (u:User)-[r:RESPONDED]->(i) WHERE r.recorded > datetime($moment) RETURN {SHOWN} ORDER BY r.recorded, r.key"
)
OF_USER = (
    f"MATCH (u:User {{user: $user}})-[r:RESPONDED]->(i) WHERE r.key IS NOT NULL RETURN {SHOWN} "
    "ORDER BY r.recorded, r.key"
)
BRING_BACK = (
    "UNWIND $rows AS row MERGE (u:User {{user: row.user}}) MERGE (i:{label} {{{key}: row.item}}) "
    "MERGE (u)-[r:RESPONDED {{key: row.key}}]->(i) "
    "ON CREATE SET r.channel = row.channel, r.outcome = row.outcome, r.at = datetime(row.at), "
    "r.decision = row.decision, r.recorded = datetime(row.recorded), r.position = row.position, "
    "r.probability = row.probability"
)
READ_S = 600.0


class Answers:
    """The answers in one graph. Safe to share between threads.

    `record(...)` is durable when it returns; a key that comes again gives the same answer and no second edge.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ensuring = threading.Lock()
        self._ensured = False

    def record(
        self,
        *,
        user: bytes,
        kind: str,
        item: str,
        channel: str | None,
        outcome: str,
        at: dt.datetime | None = None,
        decision: str | None = None,
        key: str | None = None,
        position: int | None = None,
        probability: float | None = None,
        anybody: bool = False,
        unless_told: dt.datetime | None = None,
    ) -> dict[str, Any]:
        """Keep one answer; returns it as JSON-ready values, with `repeated` true where the key was known already.

        `position` of the item in the decision, from 1, and the `probability` with which it came to be shown there.
        A user whom the graph does not hold is made if `anybody` may answer: one to whom something was shown.

        `user` is a pseudonym of 16 bytes; `at` a moment in UTC (`unless_told`, or now, when None), `key` the client's
        key (a new one, when None). A key that was used for another answer raises BadValue with the code
        `idempotency_conflict`; a repetition may leave `at` and `decision` out. Raises BadValue for an outcome or kind
        that is none, UnknownName for a user or item that the graph does not hold, EngineUnavailable where Neo4j is
        away: nothing is kept then.
        """
        if kind not in KINDS:
            raise BadValue(f"kind is {kind!r}", "it should be app or offer")
        if outcome not in OUTCOMES:
            raise BadValue(f"outcome is {outcome!r}", f"it should be one of {', '.join(OUTCOMES)}")
        now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
        who = str(uuid.UUID(bytes=user))
        wanted: dict[str, Any] = {
            "user": who,
            "kind": kind,
            "item": item,
            "channel": channel,
            "outcome": outcome,
            "at": None if at is None else _naive_utc(at),
            "decision": decision,
        }
        if key is None:
            key = uuid.uuid4().hex
        elif known := self.by_key(key):
            return _same(known, wanted, repeated=True)
        self._ensure()
        label, column = KINDS[kind]
        try:
            rows = self._store.write(
                MAKE.format(label=label, key=column, shown=SHOWN, who=ANYBODY if anybody else KNOWN),
                **{**{k: v for k, v in wanted.items() if k != "kind"}, "at": wanted["at"] or unless_told or now},
                key=key,
                recorded=now,
                position=position,
                probability=probability,
            )
        except EngineError:
            # Two at once with one key and another customer or item: the constraint lets one through.
            if known := self.by_key(key):
                return _same(known, wanted, repeated=True)
            raise
        if not rows:
            raise self._unknown(who, label, column, item)
        return _same(rows[0], wanted, repeated=rows[0]["recorded"] != now)

    def of_user(self, user: bytes) -> pa.Table:
        """A customer's answers in the order of recording, a table of SCHEMA."""
        return _table(self._store.read(OF_USER, user=str(uuid.UUID(bytes=user)), timeout_s=READ_S))

    def all(self) -> pa.Table:
        """Everybody's answers in the order of recording, a table of SCHEMA."""
        return _table(self._store.read(ALL, timeout_s=READ_S))

    def since(self, moment: dt.datetime) -> pa.Table:
        """Answers recorded after a moment (UTC, without offset), a table of SCHEMA."""
        return _table(self._store.read(SINCE, moment=moment, timeout_s=READ_S))

    def bring_back(self, table: pa.Table) -> None:
        """Record answers that are kept elsewhere (a table of SCHEMA) again as they were; those that are there stay.

        Customers and items that the graph does not hold are made, with their key alone.
        """
        self._ensure()
        for kind, (label, column) in KINDS.items():
            rows = table.filter(pc.equal(table["kind"], kind))
            self._store.write_rows(BRING_BACK.format(label=label, key=column), rows)

    def by_key(self, key: str) -> dict[str, Any] | None:
        """What was recorded under a client's key, None for nothing."""
        rows = self._store.read(BY_KEY, key=key)
        return rows[0] if rows else None

    def _ensure(self) -> None:
        """The key of an answer is unique, and answers can be found by key and by moment."""
        with self._ensuring:
            if not self._ensured:
                for statement in RESPONDED_RULES:
                    try:
                        self._store.write(statement)
                    except EngineError:  # another worker made it at the same moment: now it is there
                        self._store.write(statement)
                self._ensured = True

    def _unknown(self, user: str, label: str, column: str, item: str) -> UnknownName:
        if not self._store.read("MATCH (u:User {user: $user}) RETURN 1 AS one", user=user):
            return UnknownName(f"there is no customer {user}", "load the feeds that name this customer first")
        return UnknownName(f"there is no {label.lower()} {item!r}", f"answer an item of the feed `{column}s`")


def copy_to_lake(store: Store, lake: Lake) -> int:
    """Copy the answers into the lake's table `answers` (by customer, moment and key); returns how many there are.

    Without any, there is no such table. Feed rows are not among them: they are in `responses` already.
    """
    table = Answers(store).all().sort_by([("user", "ascending"), ("at", "ascending"), ("key", "ascending")])
    if table.num_rows or lake.has("answers"):
        lake.write("answers", table)
    return table.num_rows


def _same(known: dict[str, Any], wanted: dict[str, Any], *, repeated: bool) -> dict[str, Any]:
    """The recorded answer, if it is the one that is wanted."""
    optional = {name for name in ("at", "decision") if wanted[name] is None}
    if any(known[name] != value for name, value in wanted.items() if name not in optional):
        raise BadValue("the key was used for another answer", "give each answer a key of its own", code=CONFLICT)
    answer = {name: known[name] for name in ("user", "kind", "item", "channel", "outcome", "decision")}
    return {**answer, "at": known["at"].isoformat(), "repeated": repeated}


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    columns: dict[str, list[Any]] = {name: [row.get(name) for row in rows] for name in SCHEMA.names}
    columns["user"] = [from_text(text) for text in columns["user"]]
    columns["offer"] = [row["item"] if row["kind"] == "offer" else None for row in rows]
    return pa.table(columns, schema=SCHEMA)


def _naive_utc(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(dt.UTC).replace(tzinfo=None) if moment.tzinfo else moment
