"""Days by the operator's clock: moments are kept in UTC; contacts, pauses and channels' room are counted by day."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import ibis

from loaders.moments import SECOND, zone

FIRST, LAST = dt.datetime(2000, 1, 1), dt.datetime(2060, 1, 1)
"""Between these, changes of the zone's offset are known to `Days.local`; before and after, the nearest offset holds."""


@dataclass(frozen=True)
class Days:
    """The clock of a timezone. Moments are UTC, without offset.

    >>> days = Days(ZoneInfo("Asia/Shanghai"))
    >>> days.at(dt.datetime(2026, 5, 31, 18)).isoformat(), days.begins(dt.date(2026, 6, 1)).isoformat()
    ('2026-06-01T02:00:00', '2026-05-31T16:00:00')
    """

    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))

    def at(self, moment: dt.datetime) -> dt.datetime:
        """What the clock shows at a moment; an edge of the calendar stays in it."""
        try:
            return moment.replace(tzinfo=dt.UTC).astimezone(self.zone).replace(tzinfo=None)
        except OverflowError:
            return moment

    def begins(self, day: dt.date) -> dt.datetime:
        """The moment at which a day begins."""
        return self.on(day, dt.time())

    def on(self, day: dt.date, time: dt.time) -> dt.datetime:
        """The moment at which the clock shows a time of a day; where it shows it twice, the first."""
        return dt.datetime.combine(day, time, self.zone).astimezone(dt.UTC).replace(tzinfo=None)

    def local(self, moment: ibis.expr.types.TimestampValue) -> ibis.expr.types.TimestampValue:
        """What the clock shows at the moments of a column."""
        known = zone(self.zone.key)
        epoch = dt.datetime(1970, 1, 1)
        changes = [epoch + dt.timedelta(seconds=int(change) // SECOND) for change in known.changes]
        moved = [moment + ibis.interval(seconds=int(offset) // SECOND) for offset in known.offsets]
        first = sum(change < FIRST for change in changes)
        last = sum(change < LAST for change in changes)
        branches = [(moment < changes[i], moved[i]) for i in range(first, last)]
        return ibis.cases(*branches, else_=moved[last]) if branches else moved[last]
