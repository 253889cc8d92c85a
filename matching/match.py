"""One decision: what, if anything, this customer should be shown, through which channel, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from lake.errors import BadValue
from lake.pseudonyms import text_of
from matching.ahead import Ahead, best
from matching.answered import Answered, Said
from matching.decision import Decision, Item, MatchRequest, each_json, json, new_id
from matching.eligibility import Block, explain, nothing_because
from matching.evidence import Found, facts_of, strongest
from matching.explore import Explore, First, lead
from matching.fatigue import said_by, since_load
from matching.rank import top_k
from matching.room import without_room
from matching.routes import choose, hours_of, usual
from matching.scores import offer_scores, readable
from matching.slots import apart, mixed
from matching.state import Kind, MatchState, check_k, check_kind
from matching.telling import tell

MIXED = 4
"""Apps looked at for each slot, so that categories can be mixed."""
NO_ITEMS = np.array([], np.int64)


@dataclass(slots=True)
class Circumstances:
    """What a request meets: the `position` of its customer, what all numbers of that person `said` since the state was
    loaded, the channels that are `full`, bool (c), None where all have room, and whether it is `quiet`."""

    position: int
    said: list[Said]
    full: np.ndarray | None
    quiet: bool


@dataclass(slots=True)
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
    return decide(state, ask(state, request, meet(state, request, answered)), ahead, explore)


def meet(state: MatchState, request: MatchRequest, answered: Answered | None = None) -> Circumstances:
    """The circumstances of a request, read once: none of them changes while it is decided."""
    position = state.customers.position(request.user)
    return Circumstances(
        position,
        said_by(answered, state.history, state.customers.users, position, request.user),
        without_room(state.channels, None if answered is None else answered.met, state.today),
        state.is_quiet(request.at),
    )


def ask(state: MatchState, request: MatchRequest, met: Circumstances) -> Asked:
    """What a request asks in the circumstances that it `met`; raises what `match` raises."""
    kind, k = check_kind(request.kind), check_k(request.k)
    if request.slots is not None:
        k = min(k, _check_slots(request.slots))
    position = met.position
    used = NO_ITEMS
    if kind == "app" and request.context_used:  # what is known already does not count twice
        used = np.setdiff1d(_places(state, "app", request.context_used), state.used.row(position))
    paused, tired = since_load(state.history, kind, state.places(kind), position, met.said)
    block = Block(
        kind=kind,
        users=np.array([position]),
        channel=state.channel(request.channel),
        used=_of_one(used),
        paused=_of_one(paused),
        tired=np.array([tired]),
        quiet=met.quiet,
        full=met.full,
    )
    most = MIXED * k if request.slots is not None else k
    return Asked(request, position, block, k, min(most, len(state.apps.ids)))


def decide(state: MatchState, asked: Asked, ahead: Ahead | None = None, explore: Explore | None = None) -> Decision:
    """The decision on what was asked of this state, as `match` gives it."""
    request, position, block = asked.request, asked.position, asked.block
    kind, users = block.kind, block.users
    chosen = _best_apps(state, asked, ahead) if kind == "app" else _best_offers(state, asked, explore)
    some = chosen.items[:, : np.count_nonzero(chosen.items >= 0)]
    items = some[0].tolist()
    facts = facts_of(chosen.found)[: len(items)]
    if kind == "app" and block.channel < 0:
        through = [usual(state, position, block.full, block.quiet)] * len(items)
    else:
        through = choose(state, kind, users, some, block.channel, block.full, block.quiet)[0].tolist()
    names = {channel: json(None if channel < 0 else state.texts.channel_ids[channel]) for channel in set(through)}
    hours = {channel: hours_of(state, position, channel) for channel in names}
    ids = state.texts.app_ids if kind == "app" else state.texts.offer_ids
    who = None if request.user is None else text_of(request.user)
    told = tell(state, kind, who, position, items, facts)
    scores = each_json(chosen.values[0, : len(items)].tolist())
    shown = [
        Item(
            f'"id":"{ids[item]}","score":{score},"channel":{names[channel]},{why}',
            f'"factors":{factors},"hours":{hours[channel]}',
        )
        for item, score, channel, why, factors in zip(items, scores, through, told, chosen.factors, strict=False)
    ]
    candidates = len(state.items(kind))
    return Decision(
        id=new_id(),
        snapshot=state.snapshot_id,
        request=_known(state, request),
        known=not bool(state.customers.off_net[position]),
        items=shown,
        nothing_because=None if shown else nothing_because(state, kind, chosen.removed),
        candidates=candidates,
        removed=chosen.removed,
        barred=chosen.barred,
        first=chosen.first,
    )


@dataclass(slots=True)
class _Chosen:
    """Items (1, k), -1 where there are fewer, their scores, the factors of each in JSON; how many items each rule
    removed, and which offers; the evidence `found` for each, arrays (k); how the first offer was chosen where chance
    may choose."""

    items: np.ndarray
    values: np.ndarray
    factors: list[str]
    removed: dict[str, int]
    found: Found
    barred: dict[str, list[str]] = field(default_factory=dict)
    first: First | None = None


def _best_apps(state: MatchState, asked: Asked, ahead: Ahead | None) -> _Chosen:
    block = asked.block
    if ahead is not None and ahead.covers(state, block, asked.wanted):
        found = ahead.best(asked.position, asked.wanted)
    else:
        found = best(state, block, asked.wanted)
    items, values, evidence = found.items[None], found.values[None], found.found
    if asked.request.slots is not None:
        kept = mixed(np.append(state.apps.category, -1)[items[0]], items[0], asked.k)
        items, values = items[:, kept], values[:, kept]
        evidence = evidence.take(kept)
    factors = _factors_of_apps(state, asked, values[0], found.shares)
    return _Chosen(items, readable(values, np.array([found.shares])), factors, found.removed, evidence)


def _factors_of_apps(state: MatchState, asked: Asked, values: np.ndarray, shares: bool) -> list[str]:
    """What each score was, and how likely that makes it that the app is begun, where that was learned."""
    name = "share" if shares else "deviations"
    used = bool(len(asked.block.used[1])) or bool(len(state.used.row(asked.position)))
    scores, chances = each_json(values.tolist()), state.uptake.chance(values, shares, used)
    if chances is None:
        return [f'{{"{name}":{score}}}' for score in scores]
    return [
        f'{{"{name}":{score},"propensity":{chance}}}' for score, chance in zip(scores, each_json(chances), strict=True)
    ]


def _best_offers(state: MatchState, asked: Asked, explore: Explore | None) -> _Chosen:
    block, which = asked.block, dict[str, np.ndarray]()
    mask, removed = explain(state, block, which)
    offers = offer_scores(state, block.users, block.channel)
    side_by_side = asked.request.slots is not None
    items, values = top_k(offers.score, mask, mask.shape[1] if side_by_side else asked.k)
    first = None
    if explore is not None:
        items, values, first = lead(explore, offers.score[0], mask[0], items, values)
    if side_by_side:
        kept = apart(state, items[0])
        category = np.append(state.product_ties.category, -1)[np.append(state.offers.product, -1)[items[0, kept]]]
        kept = [kept[j] for j in mixed(category, items[0, kept], asked.k)]
        items, values = items[:, kept], values[:, kept]
    factors = [json(offers.factors(0, int(i))) if i >= 0 else "{}" for i in items[0]]
    ids = state.offers.ids.to_pylist()
    barred = {rule: [ids[i] for i in places.tolist()] for rule, places in which.items()}
    found = strongest(state.product_ties, block.users, np.append(state.offers.product, -1)[items]).take(0)
    return _Chosen(items, values, factors, removed, found, barred, first)


def _of_one(items: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Items of a block's single customer, as (rows, items)."""
    return (np.zeros(len(items), np.int64), items) if len(items) else (NO_ITEMS, NO_ITEMS)


def _places(state: MatchState, kind: Kind, ids: Sequence[str]) -> np.ndarray:
    known = state.places(kind)
    return np.array(sorted({known[i] for i in ids if i in known}), np.int64)


def _known(state: MatchState, request: MatchRequest) -> MatchRequest:
    """The request, with apps in use that there are: of others nothing is kept, as anything may be written there."""
    if not request.context_used:
        return request
    return replace(request, context_used=tuple(app for app in request.context_used if app in state.places("app")))


def _check_slots(slots: int) -> int:
    if isinstance(slots, bool) or not isinstance(slots, int) or slots < 1:
        raise BadValue(f"slots is {slots!r}", "it should be a whole number from 1")
    return slots
