"""Dates and moments: text to days and microseconds, local time to UTC and back, whole columns at a time.

A moment is ISO 8601. Without an offset it is in the zone set: an hour that occurs twice there is
the first, one that does not occur is a bad value.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo

import numba
import numpy as np
import pyarrow as pa

from loaders.numbers import text_buffers

SECOND = 1_000_000
DAY = 86_400 * SECOND
EMPTY, DATE, LOCAL, INSTANT, OTHER_FORM, BAD = 0, 1, 2, 3, 4, 5


@numba.njit(cache=True, nogil=True)
def _two(data: np.ndarray, at: int) -> int:  # compiled
    """Two digits at a place, or -1."""
    tens, ones = data[at] - 48, data[at + 1] - 48
    if 0 <= tens <= 9 and 0 <= ones <= 9:
        return tens * 10 + ones
    return -1


@numba.njit(cache=True, nogil=True)
def _days(year: int, month: int, day: int) -> int:  # compiled
    """Days since 1970-01-01 in the Gregorian calendar (H. Hinnant's days_from_civil)."""
    if month <= 2:
        year -= 1
    era = year // 400
    year_of_era = year - era * 400
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719468


@numba.njit(cache=True, nogil=True)
def _parse(data: np.ndarray, offsets: np.ndarray, micros: np.ndarray, form: np.ndarray) -> None:  # compiled
    lengths = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    for row in range(len(offsets) - 1):
        i, end = offsets[row], offsets[row + 1]
        while i < end and data[i] == 32:
            i += 1
        while end > i and data[end - 1] == 32:
            end -= 1
        if i == end:
            continue
        form[row] = 4
        if end - i < 10 or data[i + 4] != 45 or data[i + 7] != 45:
            continue
        century, rest, month, day = _two(data, i), _two(data, i + 2), _two(data, i + 5), _two(data, i + 8)
        if century < 0 or rest < 0 or month < 0 or day < 0:
            continue
        year = century * 100 + rest
        form[row] = 5
        if year < 1 or month < 1 or month > 12 or day < 1:
            continue
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        if day > lengths[month - 1] + (1 if leap and month == 2 else 0):
            continue
        value = _days(year, month, day) * 86_400_000_000
        i += 10
        if i == end:
            micros[row], form[row] = value, 1
            continue
        form[row] = 4
        if end - i < 6 or (data[i] != 84 and data[i] != 116 and data[i] != 32) or data[i + 3] != 58:
            continue
        hour, minute = _two(data, i + 1), _two(data, i + 4)
        i += 6
        second, fraction = 0, 0
        if i < end and data[i] == 58:
            if end - i < 3:
                continue
            second = _two(data, i + 1)
            i += 3
            if i < end and (data[i] == 46 or data[i] == 44):
                i += 1
                scale, begun = 100_000, i
                while i < end and 48 <= data[i] <= 57:
                    fraction += (data[i] - 48) * scale
                    scale //= 10
                    i += 1
                if i == begun:
                    continue
        if hour < 0 or minute < 0 or second < 0:
            continue
        if hour > 23 or minute > 59 or second > 59:
            form[row] = 5
            continue
        value += (hour * 3600 + minute * 60 + second) * 1_000_000 + fraction
        if i == end:
            micros[row], form[row] = value, 2
            continue
        if (data[i] == 90 or data[i] == 122) and i + 1 == end:
            micros[row], form[row] = value, 3
            continue
        sign = 1 if data[i] == 43 else -1
        if (data[i] != 43 and data[i] != 45) or (end - i != 3 and end - i != 5 and end - i != 6):
            continue
        hours, minutes = _two(data, i + 1), 0
        if end - i == 5:
            minutes = _two(data, i + 3)
        elif end - i == 6:
            minutes = _two(data, i + 4) if data[i + 3] == 58 else -1
        if hours < 0 or minutes < 0:
            continue
        if hours > 23 or minutes > 59:
            form[row] = 5
            continue
        micros[row], form[row] = value - sign * (hours * 60 + minutes) * 60_000_000, 3


def parse(column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Text column (n,) to microseconds since 1970 (n,) int64 and what each row is (n,) uint8.

    DATE: midnight of that day; LOCAL: a moment without offset, as if UTC; INSTANT: UTC; EMPTY; BAD.

    >>> micros, form = parse(pa.array(["2026-05-01", "2026-05-01 12:00", "1970-01-01T01:00:00.5+01:00", "2026-13-01"]))
    >>> form.tolist(), int(micros[2])
    ([1, 2, 3, 5], 500000)
    """
    micros = np.zeros(len(column), np.int64)
    form = np.zeros(len(column), np.uint8)
    data, offsets = text_buffers(column)
    _parse(data, offsets, micros, form)
    others = np.flatnonzero(form == OTHER_FORM)
    if len(others):  # rarer forms of ISO 8601: 20260501T120000Z, 2026-W18-5T12
        texts = column.take(pa.array(others)).cast(pa.string()).to_pylist()
        known = {text: _other_form(text) for text in set(texts)}
        for row, text in zip(others, texts, strict=True):
            micros[row], form[row] = known[text]
    return micros, form


def _other_form(text: str) -> tuple[int, int]:
    text = text.strip()
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return 0, BAD
    if not any(mark in text for mark in "Tt "):
        return 0, BAD  # a date that is not YYYY-MM-DD
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    instant = (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)) - epoch
    return instant // dt.timedelta(microseconds=1), INSTANT if moment.tzinfo else LOCAL


class Zone:
    """A timezone's changes of offset, for columns of moments in microseconds.

    `changes` (c,) are the instants (UTC) at which the offset changes, `offsets` (c + 1,) the
    offsets before the first, between, and after the last; years 1900 to 2199.
    """

    def __init__(self, name: str) -> None:
        zone = ZoneInfo(name)
        first, last = dt.date(1900, 1, 1).toordinal(), dt.date(2200, 1, 1).toordinal()
        epoch = dt.date(1970, 1, 1).toordinal()

        def offset(second: int) -> int:
            moment = dt.datetime.fromtimestamp(second, dt.UTC).astimezone(zone)
            delta = moment.utcoffset()
            return int(delta.total_seconds()) if delta else 0

        changes: list[int] = []
        offsets = [offset((first - epoch) * 86_400)]
        for day in range(first - epoch, last - epoch, 7):
            low, high = day * 86_400, (day + 7) * 86_400
            while (here := offset(high)) != offsets[-1]:
                before, after = low, high
                while after - before > 1:
                    middle = (before + after) // 2
                    before, after = (middle, after) if offset(middle) == offsets[-1] else (before, middle)
                changes.append(after)
                offsets.append(offset(after))
                low = after
                if offsets[-1] == here:
                    break
        self.changes = np.array(changes, np.int64) * SECOND
        self.offsets = np.array(offsets, np.int64) * SECOND
        self._local_ends = self.changes + self.offsets[:-1]
        self._local_starts = self.changes + self.offsets[1:]

    def to_local(self, instants: np.ndarray) -> np.ndarray:
        """UTC to local wall-clock microseconds."""
        return instants + self.offsets[np.searchsorted(self.changes, instants, side="right")]

    def to_utc(self, local: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Local wall clock to UTC, and which (bool) do not occur; those become the instant of the change."""
        segment = np.searchsorted(self._local_ends, local, side="right")
        instants = local - self.offsets[segment]
        if not len(self.changes):
            return instants, np.zeros(len(local), bool)
        missing = (segment > 0) & (local < self._local_starts[np.maximum(segment - 1, 0)])
        return np.where(missing, self.changes[np.maximum(segment - 1, 0)], instants), missing


@lru_cache(maxsize=4)
def zone(name: str) -> Zone:
    """The zone of that name, its changes found once."""
    return Zone(name)
