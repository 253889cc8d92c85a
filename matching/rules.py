"""The rules of who may be shown what, as they are set: the built-in ones with their parameters, and an operator's own.

Rules are data of the settings (`[rules.NAME]` of dumbbell.toml). They are read and checked here, before anything is
decided; `matching.bars` turns them into arrays, `matching.eligibility` applies them.

    [rules.contract_end]                  a built-in rule: enabled, reason, and its parameters
    months = 2

    [rules.own.complained]                an operator's own: for whom (a condition), for what, and why
    not_for = "bill.complaints >= 3"
    categories = ["games"]
    reason = "this customer complained lately"
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from lake.errors import BadValue, SettingError
from loaders.grammar import NUMBER
from matching.parameters import (
    Always,
    ArpuTiers,
    ContractEnd,
    Fatigue,
    GoldenMonths,
    OwnRule,
    Parameters,
    Paused,
    QuietHours,
)

APP, OFFER, BOTH = ("app",), ("offer",), ("app", "offer")
NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class BuiltIn:
    """A named rule of the product: what it does without settings, for which kinds of items, and what it says."""

    name: str
    reason: str
    kinds: tuple[str, ...] = BOTH
    parameters: type[Parameters] = Parameters


BUILT_IN = (
    BuiltIn("consent", "this customer has not consented to being addressed", parameters=Always),
    BuiltIn("left", "this customer has left", parameters=Always),
    BuiltIn("barred", "this customer is barred"),
    BuiltIn(
        "no_contact", "this customer must not be approached, and the channel asked for approaches", parameters=Always
    ),
    BuiltIn("quiet_hours", "it is too late, or too early, to approach a customer", parameters=QuietHours),
    BuiltIn("fatigue", "this customer had {contacts} contacts in {days} days already", parameters=Fatigue),
    BuiltIn("dates", "no offer runs today", OFFER, Always),
    BuiltIn("channel", "no offer goes through a channel that is open to this customer", OFFER, Always),
    BuiltIn("capacity", "the channels that are open have no room left today", BOTH, Always),
    BuiltIn("audience", "this customer is outside the audience of the offers", OFFER, Always),
    BuiltIn("used", "this customer uses the apps already", APP),
    BuiltIn("held", "this customer holds the products already", OFFER),
    BuiltIn("excludes", "what this customer holds excludes the products", OFFER),
    BuiltIn("contract_end", "the customer's contract runs for more than {months} months yet", OFFER, ContractEnd),
    BuiltIn("golden_months", "the customer has had the handset for more than {months} months", OFFER, GoldenMonths),
    BuiltIn("arpu_tiers", "the products' fees do not suit what the customer spends", OFFER, ArpuTiers),
    BuiltIn("handset_os", "the customer's handset has another operating system"),
    BuiltIn("handset_network", "the customer's handset cannot use the network that is needed", OFFER),
    BuiltIn("sim", "the customer's SIM cannot use the network that is needed", OFFER),
    BuiltIn(
        "paused",
        "the customer refused it, or took it or its like, less than {days} days ago, or refused it {refusals} times",
        parameters=Paused,
    ),
)
"""The built-in rules, in the order in which they run; an operator's own run after them, by name."""


@dataclass(frozen=True)
class Ruled:
    """One rule as it is set: `settings` are its parameters, or the operator's own rule."""

    name: str
    reason: str
    kinds: tuple[str, ...]
    settings: Parameters | OwnRule

    @property
    def in_force(self) -> bool:
        return self.settings.enabled and not (isinstance(self.settings, Parameters) and self.settings.idle)

    @property
    def parameters(self) -> dict[str, Any]:
        """What it was told, beside reason and whether it is in force."""
        left_out = {"enabled", "reason", *(["kinds"] if isinstance(self.settings, OwnRule) else [])}
        told = self.settings.model_dump(exclude=left_out, exclude_none=True)
        return {name: value for name, value in told.items() if value != []}


def read_rules(settings: Mapping[str, Any]) -> tuple[Ruled, ...]:
    """The rules that `Settings.rules` sets, in the order in which they run, those that are switched off included.

    Raises SettingError, naming the rule and what in it, for a rule or parameter that does not exist, a value of
    another type, and a condition with an unknown field or a value that its field cannot be compared with.

    >>> next(rule.reason for rule in read_rules({"contract_end": {"months": 2}}) if rule.name == "contract_end")
    "the customer's contract runs for more than 2 months yet"
    """
    known = [rule.name for rule in BUILT_IN]
    for name in settings:
        if name not in (*known, "own"):
            raise SettingError(
                f"rule {_shown(name)} is no built-in rule",
                f"name your own rules [rules.own.NAME]; built-in are {', '.join(known)}",
            )
    found = []
    for rule in BUILT_IN:
        told = _read(rule.parameters, rule.name, settings.get(rule.name, {}))
        reason = told.reason or rule.reason.format(**told.model_dump())
        found.append(Ruled(rule.name, reason, rule.kinds, told))
    own = settings.get("own", {})
    if not isinstance(own, Mapping):
        raise SettingError("rules.own is no table", "write each rule as [rules.own.NAME]")
    return (*found, *(_own(name, own[name], known) for name in sorted(own)))


def _own(name: str, told: Any, known: Sequence[str]) -> Ruled:
    if not NAME.fullmatch(name) or name in known:
        raise SettingError(
            f"rule {_shown(name)} cannot be called so",
            "small letters, digits and _, beginning with a letter, and not the name of a built-in rule",
        )
    rule = _read(OwnRule, name, told)
    try:
        rule.condition  # noqa: B018  read for its errors: never at decision time
    except BadValue as error:
        field = "not_for" if rule.not_for is not None else "only_for"
        raise SettingError(f"rule {name}, {field}: {error.found}", error.remedy) from None
    return Ruled(name, rule.reason, tuple(kind for kind in BOTH if kind in rule.kinds), rule)


Model = TypeVar("Model", bound=BaseModel)


def _read(model: type[Model], name: str, told: Any) -> Model:
    if not isinstance(told, Mapping):
        raise SettingError(f"rule {name} is {_shown(told)}", f"write it as a table, [rules.{name}]")
    try:
        return model.model_validate(dict(told))
    except ValidationError as error:
        first = error.errors()[0]
        field, found = ".".join(str(part) for part in first["loc"]), _shown(first.get("input"))
        says = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            raise SettingError(
                f"rule {name}: there is no {_shown(field)}", f"it takes {', '.join(model.model_fields)}"
            ) from None
        if first["type"] == "missing":
            raise SettingError(f"rule {name} has no {field}", "give one") from None
        if model is not OwnRule and field == "enabled" and issubclass(model, Always):
            says = "this rule cannot be switched off"
        raise SettingError(f"rule {name}: {field} is {found}" if field else f"rule {name}", says) from None


def _shown(value: Any) -> str:
    """A value as an error may show it: without what may be someone's number."""
    return NUMBER.sub("(digits)", str(value) if isinstance(value, str) else repr(value))
