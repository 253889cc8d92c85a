"""Who may be shown what: named rules, each with the reason for what it removed.

A rule looks at a block of customers and clears what they may not be shown in a mask (customers, items). The rules in
force come with the state (`matching.rules` says what they are, `matching.bars` what those with parameters and an
operator's own bar); those that need more than that have their mask here, by name. Rules run in one order, so that
what each removed can be counted; any order leaves the same items.

What is not known does not forbid: a customer whose handset's system is not known may be shown every app.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from lake.errors import UnknownName
from matching.arrays import Ragged
from matching.bars import Rule
from matching.catalogue import audience_of
from matching.state import Kind, MatchState

_CELLS = 1 << 24
"""Customers × items looked at together."""


@dataclass(slots=True)
class Block:
    """Some customers and what was asked for them.

    users    int64 (b): positions of customers; `state.customers.n` for an unknown number
    channel  position of the channel that was asked for, -1 for any
    used     (rows, items): apps used since the snapshot
    paused   (rows, items): answers since the state was loaded
    full     bool (channels): those without room left today, None for none
    tired    bool (b): no contact left, counting answers since the state was loaded; None for what the lake knows
    quiet    nobody is approached now
    """

    kind: Kind
    users: np.ndarray
    channel: int = -1
    used: tuple[np.ndarray, np.ndarray] = field(default_factory=lambda: (np.array([], np.int64),) * 2)
    paused: tuple[np.ndarray, np.ndarray] = field(default_factory=lambda: (np.array([], np.int64),) * 2)
    full: np.ndarray | None = None
    tired: np.ndarray | None = None
    quiet: bool = False


def _customers(mask: np.ndarray, rows: np.ndarray) -> None:
    """Clear everything of the customers that are marked."""
    if rows.any():
        mask[rows] = False


def _lists(mask: np.ndarray, lists: Ragged, users: np.ndarray) -> None:
    """Clear each customer's list of items; one customer's is quicker by itself."""
    if len(users) == 1:
        mask[0, lists.row(int(users[0]))] = False
    else:
        mask[lists.pairs(users)] = False


def _pairs(mask: np.ndarray, pairs: tuple[np.ndarray, np.ndarray]) -> None:
    if len(pairs[0]):
        mask[pairs] = False


def _consent(state: MatchState, block: Block, mask: np.ndarray) -> None:
    _customers(mask, ~state.customers.consent[block.users])


def _left(state: MatchState, block: Block, mask: np.ndarray) -> None:
    _customers(mask, state.customers.left[block.users])


def _no_contact(state: MatchState, block: Block, mask: np.ndarray) -> None:
    if block.channel >= 0 and not state.channels.inbound[block.channel]:
        mask[state.customers.no_contact[block.users]] = False


def _quiet_hours(state: MatchState, block: Block, mask: np.ndarray) -> None:
    """By a channel that asks; where none does, offers that go through nothing else."""
    if not block.quiet:
        return
    if block.channel >= 0:
        mask[:] &= state.channels.inbound[block.channel]
    elif block.kind == "offer":
        mask[:, ~(state.offers.through & state.channels.inbound).any(axis=1)] = False


def _fatigue(state: MatchState, block: Block, mask: np.ndarray) -> None:
    mask[state.history.tired[block.users] if block.tired is None else block.tired] = False


def _handset_os(state: MatchState, block: Block, mask: np.ndarray) -> None:
    system = state.handsets.system[state.customers.handset[block.users]]
    if block.kind == "app":
        mask &= state.apps.runs_on[system]
    else:
        mask &= state.products.runs_on[system][:, state.offers.product]


def _used(state: MatchState, block: Block, mask: np.ndarray) -> None:
    _lists(mask, state.used, block.users)
    _pairs(mask, block.used)


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
    _reached(state, block, state.offers.through, mask)


def _capacity(state: MatchState, block: Block, mask: np.ndarray) -> None:
    if block.full is None or not block.full.any():
        return
    if block.kind == "app":
        mask[:] &= not (block.channel >= 0 and block.full[block.channel])
    else:
        through = state.offers.through & ~block.full
        mask[:, ~through.any(axis=1)] = False
        _reached(state, block, through, mask)


def _reached(state: MatchState, block: Block, through: np.ndarray, mask: np.ndarray) -> None:
    """Clear offers that go `through` (o, channels) none that is asked for, or open to the customer."""
    if block.channel >= 0:
        mask[:, ~through[:, block.channel]] = False
    alone = state.customers.no_contact[block.users] | block.quiet
    mask[np.ix_(alone, ~(through & state.channels.inbound).any(axis=1))] = False


def _paused(state: MatchState, block: Block, mask: np.ndarray) -> None:
    _lists(mask, state.history.paused[block.kind], block.users)
    _pairs(mask, block.paused)


MASKS: dict[str, Callable[[MatchState, Block, np.ndarray], None]] = {
    "consent": _consent,
    "left": _left,
    "no_contact": _no_contact,
    "quiet_hours": _quiet_hours,
    "fatigue": _fatigue,
    "dates": _dates,
    "channel": _channel,
    "capacity": _capacity,
    "audience": _audience,
    "used": _used,
    "held": _held,
    "excludes": _excludes,
    "handset_os": _handset_os,
    "handset_network": _network,
    "sim": _sim,
    "paused": _paused,
}
"""What the built-in rules clear that are no bars: `mask(state, block, mask)` clears mask (b, items) in place."""


def eligible(state: MatchState, block: Block) -> np.ndarray:
    """What each customer of a block may be shown: bool (b, items)."""
    mask = np.ones((len(block.users), len(state.items(block.kind))), bool)
    for rule in _rules_of(state, block):
        _apply(rule, state, block, mask)
    return mask


def _rules_of(state: MatchState, block: Block) -> Iterable[Rule]:
    return (rule for rule in state.rules if block.kind in rule.kinds)


def _apply(rule: Rule, state: MatchState, block: Block, mask: np.ndarray) -> None:
    if rule.name in MASKS:
        MASKS[rule.name](state, block, mask)
    for bar in rule.bars:
        bar.clear(block.kind, block.users, mask)


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


def explain(
    state: MatchState, block: Block, which: dict[str, np.ndarray] | None = None
) -> tuple[np.ndarray, dict[str, int]]:
    """The mask of `eligible` and how many items each rule removed, first come first counted; rules without any are
    left out. `which`, where given, is told the positions of those that each removed for the block's first customer."""
    mask = np.ones((len(block.users), len(state.items(block.kind))), bool)
    removed, before = {}, mask.size
    for rule in _rules_of(state, block):
        was = mask[0].copy() if which is not None else None
        _apply(rule, state, block, mask)
        after = int(np.count_nonzero(mask))
        if after < before:
            removed[rule.name] = before - after
            if which is not None and was is not None:
                which[rule.name] = np.flatnonzero(was & ~mask[0])
        before = after
    return mask, removed


def nothing_because(state: MatchState, kind: Kind, removed: dict[str, int]) -> str:
    """Why nothing can be shown: the reason of the rule that removed most."""
    items = len(state.items(kind))
    if not items:
        return f"there are no {kind}s to choose from"
    most = max(removed, key=lambda name: removed[name])
    reason = next(rule.reason for rule in state.rules if rule.name == most)
    share = "" if removed[most] == items else f" (this removed {removed[most]} of {items} {kind}s)"
    return f"{reason}{share}"
