"""What features mean, in words that an agent can say: one sentence for each group of features that tell one thing."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

Values = dict[str, float]
"""The features of one customer; nan where one is not known."""


@dataclass(frozen=True)
class Group:
    """Features that tell one thing, and how to say it."""

    features: tuple[str, ...]
    say: Callable[[Values], str]


def _people(v: Values) -> str:
    if not known(v, "lost", "kept"):
        return f"speaks with {_many(v['contacts'], 'person', 'people')}"
    return f"no longer speaks with {v['lost']:.0f} of the {v['lost'] + v['kept']:.0f} people of the period before"


def _events(v: Values) -> str:
    return _now_and_usual(v, "events", "calls and messages")


def _now_and_usual(v: Values, name: str, what: str, unit: str = "") -> str:
    if not known(v, name):
        return f"no {what} are known"
    now = f"{what}: {v[name]:.0f}{unit}"
    usual = v.get(f"{name}_usual", math.nan)  # of some features nothing usual is kept
    return f"{now}, usually {usual:.0f}{unit}" if usual == usual else now


def _left(v: Values) -> str:
    return f"{_many(v['contacts_left_1'], 'person', 'people')} of the last period's calls left the network"


def _contract(v: Values) -> str:
    days = v["contract_days"]
    if not known(v, "contract_days"):
        return "no contract is running"
    return f"the contract ends in {_days(days)}" if days >= 0 else f"the contract ended {_days(-days)} ago"


def _handset(v: Values) -> str:
    if known(v, "handset_price_change") and v["handset_price_change"] < 1:
        return f"a cheaper handset for {_days(v['handset_days'])}"
    return (
        f"the same handset for {_days(v['handset_days'])}" if known(v, "handset_days") else "the handset is not known"
    )


def _moves(v: Values) -> str:
    if not known(v, "radius_km", "radius_usual"):
        return "moves about in another way than most"
    return f"moves within {v['radius_km']:.1f} km, usually {v['radius_usual']:.1f} km"


def _plan(v: Values) -> str:
    if not known(v, "plan_fee"):
        return "no plan is known"
    if not known(v, "plan_mb", "mb") or v["plan_mb"] <= 0:
        return "the plan has no data of its own"
    return f"has used {v['mb'] / v['plan_mb']:.0%} of the plan's data"


def _packs(v: Values) -> str:
    return f"{_many(v['packs'], 'data pack', 'data packs')} in the last three months"


GROUPS: dict[str, Group] = {
    "circle": Group(
        ("lost", "kept", "new", "jaccard", "strength_lost", "against_self", "against_peers", "p_value", "shrinking",
         "against_peers_before", "shrinking_before"), _people),
    "people": Group(
        ("contacts", "reciprocal", "entropy", "one_way", "off_net_share"),
        lambda v: f"speaks with {_many(v['contacts'], 'person', 'people')}"),
    "calls": Group(("events", "events_usual", "events_change"), _events),
    "habit of calling": Group(
        ("out_share", "seconds_a_call", "message_share", "days_a_contact"),
        lambda v: f"begins {v['out_share']:.0%} of the calls" if known(v, "out_share") else "hardly calls"),
    "contacts who left": Group(
        ("contacts_left_1", "contacts_left_share_1", "contacts_left_2", "contacts_left_share_2"), _left),
    "community": Group(
        ("community_size", "community_left_share"),
        lambda v: f"{v['community_left_share']:.0%} of the community left in the last period"
        if known(v, "community_left_share") else "is in no community of callers"),
    "movement": Group(("cells", "top_share", "radius_km", "radius_usual", "radius_change"), _moves),
    "bill": Group(
        ("fee", "fee_usual", "fee_change", "recharged", "balance"), lambda v: _now_and_usual(v, "fee", "the bill")),
    "minutes": Group(
        ("minutes", "minutes_usual", "minutes_change", "messages", "messages_usual", "messages_change"),
        lambda v: _now_and_usual(v, "minutes", "minutes")),
    "data": Group(("mb", "mb_usual", "mb_change"), lambda v: _now_and_usual(v, "mb", "data", " MB")),
    "days on": Group(
        ("days_on", "days_on_usual", "days_on_change"), lambda v: _now_and_usual(v, "days_on", "days in use")),
    "dropped calls": Group(
        ("dropped_calls", "dropped_calls_usual"), lambda v: _now_and_usual(v, "dropped_calls", "dropped calls")),
    "slow data": Group(
        ("slow_sessions", "slow_sessions_usual"), lambda v: _now_and_usual(v, "slow_sessions", "slow data sessions")),
    "complaints": Group(
        ("complaints", "complaints_usual"), lambda v: _now_and_usual(v, "complaints", "complaints")),
    "roaming": Group(("roaming_days",), lambda v: _now_and_usual(v, "roaming_days", "days abroad")),
    "contract": Group(("contract_days",), _contract),
    "plan": Group(("plan_fee", "plan_mb", "plan_days"), _plan),
    "data packs": Group(("packs", "pack_days"), _packs),
    "services": Group(("services",), lambda v: f"{_many(v['services'], 'service', 'services')} beside the plan"),
    "handset": Group(("handset_days", "handset_price", "handset_price_change", "handset_age"), _handset),
    "tenure": Group(
        ("tenure",),
        lambda v: f"a customer for {_days(v['tenure'])}" if known(v, "tenure") else "since when is not known"),
    "kind of customer": Group(("age", "person"), lambda v: "customers of this age and kind do so more often"),
}  # fmt: skip


def known(v: Values, *names: str) -> bool:
    return all(v[name] == v[name] for name in names)


def _many(count: float, one: str, many: str) -> str:
    return f"{count:.0f} {one if count == 1 else many}"


def _days(days: float) -> str:
    """
    >>> _days(12.0), _days(400.0)
    ('12 days', '13 months')
    """
    return _many(days, "day", "days") if days < 92 else f"{days / 30.44:.0f} months"
