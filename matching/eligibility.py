"""Who may be shown what: named rules, each with the sentence for what it removed.

A rule looks at a block of customers and clears what they may not be shown in a mask (customers, items). Rules run
in one order, so that what each removed can be counted; any order leaves the same items.

What is not known does not forbid: a customer whose handset's system is not known may be shown every app.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from lake.errors import UnknownName
from matching.answered import PAUSE_DAYS
from matching.catalogue import audience_of
from matching.state import KINDS, Kind, MatchState

_CELLS = 1 << 24
"""Customers × items looked at together."""


@dataclass(frozen=True)
class Block:
    """Some customers and what was asked for them.

    users    int64 (b): positions of customers; `state.customers.n` for an unknown number
    channel  position of the channel that was asked for, -1 for any
    used     (rows, items): apps used since the snapshot
    paused   (rows, items): answers since the state was loaded
    """

    kind: Kind
    users: np.ndarray
    channel: int = -1
    used: tuple[np.ndarray, np.ndarray] = field(default_factory=lambda: (np.array([], np.int64),) * 2)
    paused: tuple[np.ndarray, np.ndarray] = field(default_factory=lambda: (np.array([], np.int64),) * 2)


@dataclass(frozen=True)
class Rule:
    """`clear(state, block, mask)` clears mask (b, items) in place; `sentence` says why, for `kinds` of items."""

    name: str
    sentence: str
    clear: Callable[[MatchState, Block, np.ndarray], None]
    kinds: Sequence[str] = KINDS


def _consent(state: MatchState, block: Block, mask: np.ndarray) -> None:
    mask[~state.customers.consent[block.users]] = False


def _left(state: MatchState, block: Block, mask: np.ndarray) -> None:
    mask[state.customers.left[block.users]] = False


def _no_contact(state: MatchState, block: Block, mask: np.ndarray) -> None:
    if block.channel >= 0 and not state.channels.inbound[block.channel]:
        mask[state.customers.no_contact[block.users]] = False


def _handset_os(state: MatchState, block: Block, mask: np.ndarray) -> None:
    system = state.handsets.system[state.customers.handset[block.users]]
    if block.kind == "app":
        mask &= state.apps.runs_on[system]
    else:
        mask &= state.products.runs_on[system][:, state.offers.product]


def _used(state: MatchState, block: Block, mask: np.ndarray) -> None:
    mask[state.used.pairs(block.users)] = False
    mask[block.used] = False


def _network(state: MatchState, block: Block, mask: np.ndarray) -> None:
    _below(state, state.handsets.network[state.customers.handset[block.users]], mask)


def _sim(state: MatchState, block: Block, mask: np.ndarray) -> None:
    _below(state, state.customers.sim[block.users], mask)


def _below(state: MatchState, able: np.ndarray, mask: np.ndarray) -> None:
    """Clear offers that need a newer network than each customer's handset or SIM is able to use."""
    needs = state.products.needs_network[state.offers.product]
    mask &= (able[:, None] < 0) | (able[:, None] >= needs[None, :])


def _dates(state: MatchState, block: Block, mask: np.ndarray) -> None:
    mask[:, ~state.offers.runs] = False


def _audience(state: MatchState, block: Block, mask: np.ndarray) -> None:
    mask &= audience_of(state.offers.audience, block.users)


def _held(state: MatchState, block: Block, mask: np.ndarray) -> None:
    held = np.zeros((len(block.users), len(state.products.ids)), bool)
    held[state.held.pairs(block.users)] = True
    mask &= ~held[:, state.offers.product]


def _excludes(state: MatchState, block: Block, mask: np.ndarray) -> None:
    row, product = state.held.pairs(block.users)
    place, barred = state.products.excludes.pairs(product)
    beside = np.zeros((len(block.users), len(state.products.ids)), bool)
    beside[row[place], barred] = True
    mask &= ~beside[:, state.offers.product]


def _channel(state: MatchState, block: Block, mask: np.ndarray) -> None:
    through = state.offers.through
    if block.channel >= 0:
        mask[:, ~through[:, block.channel]] = False
    mask[np.ix_(state.customers.no_contact[block.users], ~(through & state.channels.inbound).any(axis=1))] = False


def _paused(state: MatchState, block: Block, mask: np.ndarray) -> None:
    known = state.paused.apps if block.kind == "app" else state.paused.offers
    mask[known.pairs(block.users)] = False
    mask[block.paused] = False


RULES = (
    Rule("consent", "this customer has not consented to being addressed", _consent),
    Rule("left", "this customer has left", _left),
    Rule("no_contact", "this customer must not be approached, and the channel asked for approaches", _no_contact),
    Rule("dates", "no offer runs today", _dates, ("offer",)),
    Rule("channel", "no offer goes through a channel that is open to this customer", _channel, ("offer",)),
    Rule("audience", "this customer is outside the audience of the offers", _audience, ("offer",)),
    Rule("used", "this customer uses the apps already", _used, ("app",)),
    Rule("held", "this customer holds the products already", _held, ("offer",)),
    Rule("excludes", "what this customer holds excludes the products", _excludes, ("offer",)),
    Rule("handset_os", "the customer's handset has another operating system", _handset_os),
    Rule("handset_network", "the customer's handset cannot use the network that is needed", _network, ("offer",)),
    Rule("sim", "the customer's SIM cannot use the network that is needed", _sim, ("offer",)),
    Rule("paused", f"the customer refused or accepted it less than {PAUSE_DAYS} days ago", _paused),
)
"""All rules, in the order in which they run."""


def eligible(state: MatchState, block: Block) -> np.ndarray:
    """What each customer of a block may be shown: bool (b, items)."""
    mask = np.ones((len(block.users), len(state.items(block.kind))), bool)
    for rule in RULES:
        if block.kind in rule.kinds:
            rule.clear(state, block, mask)
    return mask


def who_may(state: MatchState, kind: Kind, item: str, channel: int = -1) -> np.ndarray:
    """Pseudonyms (S16, sorted) of the own network's customers who may be shown one item.

    Raises UnknownName for an item that is not there.
    """
    place = state.places(kind).get(item)
    if place is None:
        raise UnknownName(f"there is no {kind} of the name given", f"name one of the loaded {kind}s")
    customers = state.customers
    users = np.flatnonzero(~customers.off_net[:-1])
    size = max(1, _CELLS // max(1, len(state.items(kind))))
    blocks = [users[at : at + size] for at in range(0, len(users), size)]
    may = [eligible(state, Block(kind, block, channel))[:, place] for block in blocks]
    return customers.users[users[np.concatenate([np.zeros(0, bool), *may])]]


def explain(state: MatchState, block: Block) -> tuple[np.ndarray, dict[str, int]]:
    """The mask of `eligible` and how many items each rule removed, first come first counted; rules without any are
    left out."""
    mask = np.ones((len(block.users), len(state.items(block.kind))), bool)
    removed, before = {}, int(mask.sum())
    for rule in RULES:
        if block.kind in rule.kinds:
            rule.clear(state, block, mask)
            after = int(mask.sum())
            if after < before:
                removed[rule.name] = before - after
            before = after
    return mask, removed


def nothing_because(kind: Kind, items: int, removed: dict[str, int]) -> str:
    """Why nothing can be shown: the rule that removed most, in one sentence."""
    if not items:
        return f"there are no {kind}s to choose from"
    most = max(removed, key=lambda name: removed[name])
    sentence = next(rule.sentence for rule in RULES if rule.name == most)
    share = "" if removed[most] == items else f" (this removed {removed[most]} of {items} {kind}s)"
    return f"{sentence}{share}"
