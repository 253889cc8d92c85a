"""What rules can be told: the parameters of each built-in rule, and an operator's own.

Each class is a table of the settings (`[rules.NAME]`), checked when it is read; see `matching.rules`.
"""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from loaders.conditions import Condition
from loaders.feeds import FEEDS

PRODUCT_KINDS = FEEDS["products"].column("kind").allowed


def _product_kind(value: str) -> str:
    if value not in PRODUCT_KINDS:
        raise ValueError(f"it should be one of {', '.join(PRODUCT_KINDS)}")
    return value


ProductKinds = list[Annotated[str, AfterValidator(_product_kind)]]
Months = Annotated[int, Field(ge=0, le=120)]


class Parameters(BaseModel):
    """What every built-in rule can be told: whether it is in force, and another reason to give."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    enabled: bool = True
    reason: str | None = Field(None, min_length=1)

    @property
    def idle(self) -> bool:
        """Whether the parameters leave nothing to do."""
        return False


class Always(Parameters):
    """Of a rule that cannot be switched off."""

    enabled: Literal[True] = True


class ContractEnd(Parameters):
    """Products of these kinds only where the contract ends within so many months, has ended, or is not known."""

    months: Months = 3
    product_kinds: ProductKinds = ["contract", "handset_deal"]


class GoldenMonths(Parameters):
    """Products of these kinds only in the first months with a handset, or where its age is not known."""

    enabled: bool = False
    months: Months = 2
    product_kinds: ProductKinds = ["data_pack", "service"]


class Tier(BaseModel):
    """Customers who spend `arpu_from` or more, up to the next tier, and the monthly fees that suit them."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    arpu_from: float
    fee_from: float | None = None
    fee_to: float | None = None


class ArpuTiers(Parameters):
    """Products of these kinds only where their monthly fee suits what the customer spends."""

    tiers: list[Tier] = []
    product_kinds: ProductKinds = ["plan"]

    @model_validator(mode="after")
    def _rising(self) -> ArpuTiers:
        starts = [tier.arpu_from for tier in self.tiers]
        if any(after <= before for before, after in pairwise(starts)):
            raise ValueError("the tiers' arpu_from should rise from one to the next")
        return self

    @property
    def idle(self) -> bool:
        return not self.tiers


Days = Annotated[int, Field(ge=1, le=366)]


class Fatigue(Parameters):
    """At most so many contacts in so many days, over all channels and all numbers of a person."""

    contacts: int = Field(10, ge=1)
    days: Days = 7


class Paused(Always):
    """An item that was refused or accepted rests for `days`, one refused `refusals` times for `longer_days`."""

    days: int = Field(90, ge=1)
    refusals: int = Field(3, ge=1)
    longer_days: int = Field(365, ge=1)


class QuietHours(Parameters):
    """No approach (outbound channels) from `start` to `end`, by the clock of the operator's timezone."""

    enabled: bool = False
    start: str = Field("21:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    end: str = Field("08:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")

    def holds(self, clock: dt.time) -> bool:
        """Whether it is quiet at a time of the day; from 21:00 to 08:00 passes midnight."""
        now = f"{clock:%H:%M}"
        if self.start <= self.end:
            return self.start <= now < self.end
        return now >= self.start or now < self.end


class OwnRule(BaseModel):
    """An operator's own rule: `not_for` names who is left out, or `only_for` who is not.

    It holds for the items that its lists name together (for every item, where it has none), of its `kinds`.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    enabled: bool = True
    reason: str = Field(min_length=1)
    not_for: str | None = None
    only_for: str | None = None
    kinds: list[Literal["app", "offer"]] = ["app", "offer"]
    offers: list[str] = []
    apps: list[str] = []
    products: list[str] = []
    product_kinds: ProductKinds = []
    categories: list[str] = []

    @model_validator(mode="after")
    def _one_condition(self) -> OwnRule:
        if (self.not_for is None) == (self.only_for is None):
            raise ValueError("give one condition: not_for (who is left out) or only_for (who is not)")
        return self

    @property
    def scope(self) -> dict[str, list[str]]:
        """The lists that name what the rule holds for, without the empty ones."""
        lists = {name: getattr(self, name) for name in ("offers", "apps", "products", "product_kinds", "categories")}
        return {name: values for name, values in lists.items() if values}

    @property
    def condition(self) -> Condition:
        """Who is meant, by `not_for` or `only_for`. Raises BadValue."""
        return Condition.parse(self.not_for or self.only_for or "")
