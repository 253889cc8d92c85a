"""The months of the sample; days are counted from the first day of the first month (negative before it)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from lake.errors import BadValue
from lake.periods import first_day, next_period

NEVER = 100_000
"""A day that does not come: of a customer who does not leave, of a contact that is not made."""
ALWAYS = -100_000


@dataclass(frozen=True)
class Calendar:
    """`months` calendar months from `start` (`2026-01`).

    >>> c = Calendar("2026-01", 3)
    >>> c.names, c.first.tolist(), c.days
    (['2026-01', '2026-02', '2026-03'], [0, 31, 59], 90)
    >>> c.month_of(np.array([-5, 0, 31, 89])).tolist()
    [-1, 0, 1, 2]
    """

    start: str
    months: int

    def __post_init__(self) -> None:
        if self.months < 1:
            raise BadValue(f"{self.months} months were asked for", "ask for at least one")
        try:
            first_day(self.start)
        except ValueError:
            raise BadValue(f"{self.start!r} is no month", "give one as 2026-01") from None
        if len(self.start) != 7 or self.start[4] != "-" or "W" in self.start:
            raise BadValue(f"{self.start!r} is no month", "give one as 2026-01")

    @property
    def names(self) -> list[str]:
        names = [self.start]
        while len(names) < self.months:
            names.append(next_period(names[-1]))
        return names

    @property
    def day_zero(self) -> dt.date:
        return first_day(self.start)

    @property
    def bounds(self) -> np.ndarray:
        """First day of each month and of the one after the last: int64, (months + 1,)."""
        names = self.names
        firsts = [first_day(name) for name in [*names, next_period(names[-1])]]
        return np.array([(day - self.day_zero).days for day in firsts], np.int64)

    @property
    def first(self) -> np.ndarray:
        return self.bounds[:-1]

    @property
    def days(self) -> int:
        return int(self.bounds[-1])

    @property
    def holiday(self) -> int:
        """The month in which everybody calls less and writes more; -1 when there are fewer than four."""
        return self.months // 2 - 1 if self.months >= 4 else -1

    def month_of(self, day: np.ndarray) -> np.ndarray:
        """Month of each day, -1 before the first, `months` after the last."""
        return np.searchsorted(self.bounds, day, side="right") - 1

    def weekday(self, day: np.ndarray) -> np.ndarray:
        """0 Monday to 6 Sunday."""
        return (day + self.day_zero.weekday()) % 7

    def dates(self, day: np.ndarray) -> pa.Array:
        """Days as date32; NEVER and ALWAYS are null."""
        day = np.asarray(day, np.int64)
        epoch = (self.day_zero - dt.date(1970, 1, 1)).days
        return pa.array((day + epoch).astype(np.int32), mask=np.abs(day) >= NEVER).cast(pa.date32())

    def moments(self, second: np.ndarray) -> pa.Array:
        """Seconds since the first day's midnight as timestamps without an offset."""
        epoch = (self.day_zero - dt.date(1970, 1, 1)).days * 86_400
        return pa.array(np.asarray(second, np.int64) + epoch).cast(pa.timestamp("s"))
