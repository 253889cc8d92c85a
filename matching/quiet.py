"""Quiet hours: when no customer is approached."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

from matching.parameters import QuietHours
from matching.rules import Ruled


@dataclass(frozen=True)
class Quiet:
    """The rule `quiet_hours` and the timezone of its clock."""

    rule: QuietHours
    zone: ZoneInfo

    def at(self, moment: dt.datetime | None = None) -> bool:
        """Whether it is quiet at a moment: UTC where it has no offset, now for None."""
        if moment is None:
            moment = dt.datetime.now(dt.UTC)
        elif moment.tzinfo is None:
            moment = moment.replace(tzinfo=dt.UTC)
        return self.rule.holds(moment.astimezone(self.zone).time())

    @cached_property
    def hours(self) -> frozenset[int]:
        """Hours of the day of which some minute is quiet."""
        clock = (dt.time(hour, minute) for hour in range(24) for minute in range(60))
        return frozenset(time.hour for time in clock if self.rule.holds(time))


def quiet_of(rules: tuple[Ruled, ...], zone: ZoneInfo) -> Quiet | None:
    """Quiet hours as the rules set them, None where they are switched off."""
    told = next(rule.settings for rule in rules if rule.name == "quiet_hours")
    assert isinstance(told, QuietHours)
    return Quiet(told, zone) if told.enabled else None
