"""One decision: what, if anything, this customer should be shown, through which channel, and why."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lake.errors import BadValue
from lake.pseudonyms import text_of
from matching.ahead import Ahead, best
from matching.answered import Answered
from matching.eligibility import Block, explain, nothing_because
from matching.evidence import facts_of, strongest
from matching.explore import Explore, First, lead
from matching.fatigue import said_by, since_load
from matching.rank import top_k
from matching.reasons import path, sentence
from matching.room import room_left
from matching.routes import choose, hours_of
from matching.scores import offer_scores, readable
from matching.slots import apart, mixed
from matching.state import Kind, MatchState, check_k, check_kind

MIXED = 4
"""Apps looked at for each slot, so that categories can be mixed."""


@dataclass(frozen=True)
class MatchRequest:
    """What is asked: `user` is a pseudonym of 16 bytes, None for a number that cannot be known.

    `slots` places are to be filled: at most so many items, and of offers no two for one product or for products that
    exclude each other; of one category at most half, while there are others. `context_used`: apps used since the
    snapshot. `at` is when: UTC without an offset, None for now.
    """

    user: bytes | None = None
    kind: str = "app"
    k: int = 10
    channel: str | None = None
    slots: int | None = None
    context_used: Sequence[str] = ()
    at: dt.datetime | None = None


@dataclass(frozen=True)
class Item:
    """One item of a decision; `score` from 0 to 1 for apps, in mean margins for offers.

    `hours` are those at which to reach the customer, best first.
    """

    id: str
    score: float
    channel: str | None
    reason: str
    script: str | None
    path: list[dict[str, Any]]
    factors: dict[str, float] = field(default_factory=dict)
    hours: list[int] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "score": self.score,
            "channel": self.channel,
            "reason": self.reason,
            "script": self.script,
            "path": self.path,
        }


@dataclass(frozen=True)
class Decision:
    """The answer, and what led to it.

    `known` is false for a number that is no customer's, which gets fallback items. `removed` counts what each rule
    took away, `candidates` what there was before. `first` says how the first offer was chosen where chance may choose.
    """

    id: str
    snapshot: str
    request: MatchRequest
    known: bool
    items: list[Item]
    nothing_because: str | None
    candidates: int
    removed: dict[str, int]
    first: First | None = None

    def to_json(self) -> dict[str, Any]:
        """The answer of `POST /match`."""
        answer: dict[str, Any] = {
            "decision": self.id,
            "snapshot": self.snapshot,
            "known": self.known,
            "items": [item.to_json() for item in self.items],
        }
        if self.nothing_because is not None:
            answer["nothing_because"] = self.nothing_because
        return answer

    def trace(self) -> dict[str, Any]:
        """What `GET /decisions/{id}` shows: the request, what each rule removed, and the factors of each score."""
        request, answer = self.request, self.to_json()
        for item, shown in zip(self.items, answer["items"], strict=True):
            shown |= {"factors": item.factors, "hours": item.hours}
        if self.first is not None:
            answer["items"][0]["probability"] = self.first.probability
        return {
            **answer,
            "request": {
                "user": None if request.user is None else text_of(request.user),
                "kind": request.kind,
                "k": request.k,
                "channel": request.channel,
                "slots": request.slots,
                "used": list(request.context_used),
            },
            "candidates": self.candidates,
            "removed": self.removed,
            "explored": self.first is not None and self.first.explored,
        }


@dataclass(frozen=True)
class Asked:
    """What is asked, in the state's terms: at most `k` items for the customer at `position`, who is the single one of
    `block`; to find them, the `wanted` best are looked at."""

    request: MatchRequest
    position: int
    block: Block
    k: int
    wanted: int


def match(
    state: MatchState,
    request: MatchRequest,
    answered: Answered | None = None,
    ahead: Ahead | None = None,
    explore: Explore | None = None,
) -> Decision:
    """Decide for one customer, reading the lists made `ahead` of this state where they hold. A k beyond what may be
    shown returns what there is. With `explore` the first offer is now and then left to chance.

    Raises BadValue for a k or slots below 1 and an unknown kind, UnknownName for a channel that does not exist.
    """
    return decide(state, ask(state, request, answered), ahead, explore)


def ask(state: MatchState, request: MatchRequest, answered: Answered | None = None) -> Asked:
    """What a request asks, with what the customer said since the state was loaded; raises what `match` raises."""
    kind, k = check_kind(request.kind), check_k(request.k)
    if request.slots is not None:
        k = min(k, _check_slots(request.slots))
    position = state.customers.position(request.user)
    used = _places(state, "app", request.context_used) if kind == "app" else np.array([], np.int64)
    history = state.history
    said = said_by(answered, history, state.customers.users, position, request.user)
    paused, tired = since_load(history, kind, state.places(kind), position, said)
    block = Block(
        kind=kind,
        users=np.array([position]),
        channel=state.channel(request.channel),
        used=(np.zeros(len(used), np.int64), used),
        paused=(np.zeros(len(paused), np.int64), paused),
        tired=np.array([tired]),
        quiet=state.quiet is not None and request.channel is not None and state.quiet.at(request.at),
        full=_full(state, answered) if kind == "offer" else None,
    )
    most = MIXED * k if request.slots is not None else k
    return Asked(request, position, block, k, min(most, len(state.apps.ids)))


def decide(state: MatchState, asked: Asked, ahead: Ahead | None = None, explore: Explore | None = None) -> Decision:
    """The decision on what was asked of this state, as `match` gives it."""
    request, position, block = asked.request, asked.position, asked.block
    kind, users = block.kind, block.users
    items, values, factors, removed, first = _best(state, asked, ahead, explore)
    found = strongest(state.app_ties if kind == "app" else state.product_ties, users, _things(state, kind, items))
    facts = facts_of(found, 0)
    through = choose(state, kind, users, items, block.channel, block.full)
    texts = state.texts
    ids = texts.app_ids if kind == "app" else texts.offer_ids
    hours = {channel: hours_of(state, position, channel) for channel in set(through[0].tolist())}
    shown = [
        Item(
            id=ids[item],
            score=score,
            channel=None if channel < 0 else texts.channel_ids[channel],
            reason=sentence(state, kind, position, item, fact),
            script=texts.offer_scripts[item] if kind == "offer" else None,
            path=path(state, kind, request.user, position, item, fact),
            factors=of_score,
            hours=hours[channel],
        )
        for item, score, channel, fact, of_score in zip(
            items[0].tolist(), values[0].tolist(), through[0].tolist(), facts, factors, strict=True
        )
        if item >= 0
    ]
    candidates = len(state.items(kind))
    return Decision(
        id=new_id(),
        snapshot=state.snapshot_id,
        request=request,
        known=not bool(state.customers.off_net[position]),
        items=shown,
        nothing_because=None if shown else nothing_because(state, kind, removed),
        candidates=candidates,
        removed=removed,
        first=first,
    )


def _best(
    state: MatchState, asked: Asked, ahead: Ahead | None, explore: Explore | None
) -> tuple[np.ndarray, np.ndarray, list[dict[str, float]], dict[str, int], First | None]:
    """Items (1, k), their scores, the factors of each, how many items each rule removed, and how the first offer was
    chosen where chance may choose."""
    block, k, side_by_side = asked.block, asked.k, asked.request.slots is not None
    if block.kind == "app":
        if ahead is not None and ahead.covers(state, block, asked.wanted):
            found = ahead.best(asked.position, asked.wanted)
        else:
            found = best(state, block, asked.wanted)
        items, values = found.items[None], found.values[None]
        if side_by_side:
            kept = mixed(np.append(state.apps.category, -1)[items[0]], items[0], k)
            items, values = items[:, kept], values[:, kept]
        name = "share" if found.shares else "deviations"
        factors = [{name: value} for value in values[0].tolist()]
        return items, readable(values, np.array([found.shares])), factors, found.removed, None
    mask, removed = explain(state, block)
    offers = offer_scores(state, block.users, block.channel)
    items, values = top_k(offers.score, mask, mask.shape[1] if side_by_side else k)
    first = None
    if explore is not None:
        items, values, first = lead(explore, offers.score[0], mask[0], items, values)
    if side_by_side:
        kept = apart(state, items[0])
        category = np.append(state.product_ties.category, -1)[np.append(state.offers.product, -1)[items[0, kept]]]
        kept = [kept[j] for j in mixed(category, items[0, kept], k)]
        items, values = items[:, kept], values[:, kept]
    return items, values, [offers.factors(0, int(i)) if i >= 0 else {} for i in items[0]], removed, first


def new_id() -> str:
    """A UUID of version 7 (RFC 9562): ids of one time stand together, where traces are kept and looked for."""
    drawn = os.urandom(10)
    return text_of(
        (time.time_ns() // 1_000_000).to_bytes(6, "big")
        + bytes((drawn[0] & 0x0F | 0x70, drawn[1], drawn[2] & 0x3F | 0x80))
        + drawn[3:]
    )


def _things(state: MatchState, kind: Kind, items: np.ndarray) -> np.ndarray:
    """What evidence is sought for: apps, or the products of offers."""
    return items if kind == "app" else np.append(state.offers.product, -1)[items]


def _places(state: MatchState, kind: Kind, ids: Sequence[str]) -> np.ndarray:
    known = state.places(kind)
    return np.array(sorted({known[i] for i in ids if i in known}), np.int64)


def _full(state: MatchState, answered: Answered | None) -> np.ndarray | None:
    """Channels without room left today; None where none is bounded."""
    if not state.channels.bounded:
        return None
    return room_left(state.channels, None if answered is None else answered.met, state.today) == 0


def _check_slots(slots: int) -> int:
    if isinstance(slots, bool) or not isinstance(slots, int) or slots < 1:
        raise BadValue(f"slots is {slots!r}", "it should be a whole number from 1")
    return slots
