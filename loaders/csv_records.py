"""Compiled passes over CSV bytes (RFC 4180): where records and fields lie, and one field of every record as text."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import pyarrow as pa

QUOTE, COMMA, CR, LF = 34, 44, 13, 10


@dataclass(frozen=True)
class Records:
    """The whole records of a piece of a file that begins on line `line`.

    `ends` (n,) is where each ends in `data` (its newline left out), `lines` (n,) the line it starts on, `fields` (n,)
    how many it has; its first field starts at `cuts[first[i]]`, the next at `cuts[first[i] + 1]`. `used` is how many
    bytes they take, `next_line` the line that follows, and `open_quote` the line of a quote that the data ends
    inside, or 0.
    """

    data: np.ndarray
    line: int
    ends: np.ndarray
    lines: np.ndarray
    fields: np.ndarray
    first: np.ndarray
    cuts: np.ndarray
    used: int
    next_line: int
    open_quote: int

    def __len__(self) -> int:
        return len(self.ends)

    def cells(self, row: int) -> list[bytes]:
        """The fields of one record.

        >>> split(b'a,"b, ""c"" d"', final=True, line=1).cells(0)
        [b'a', b'b, "c" d']
        """
        return [self.column(place, np.array([row])).cast(pa.binary())[0].as_py() for place in range(self.fields[row])]

    def column(self, place: int, rows: np.ndarray) -> pa.Array:
        """Field `place` of the records `rows`, each of which has that many, as text (not validated)."""
        first, ends, last = self.first[rows], self.ends[rows], self.fields[rows] == place + 1
        offsets = np.empty(len(rows) + 1, np.int32)
        _measure(self.data, self.cuts, first, ends, last, place, offsets)
        text = np.empty(offsets[-1], np.uint8)
        _copy(self.data, self.cuts, first, ends, last, place, offsets, text)
        return pa.Array.from_buffers(pa.string(), len(rows), [None, pa.py_buffer(offsets), pa.py_buffer(text)])


def split(raw: bytes, *, final: bool, line: int) -> Records:
    """Find the records of `raw`, which begins at a record on line `line`; blank lines are none.

    A record that the data may end inside is left for the next piece, unless this is the `final` one. A quote counts
    only at a field's start.
    """
    data = np.frombuffer(raw, np.uint8)
    newlines, commas = _count(data)
    ends, lines, first = (np.empty(newlines + 1, np.int64) for _ in range(3))
    fields = np.empty(newlines + 1, np.int32)
    cuts = np.empty(newlines + commas + 1, np.int32)
    count, used, next_line, open_quote = _split(data, final, line, ends, lines, fields, first, cuts)
    return Records(
        data, line, ends[:count], lines[:count], fields[:count], first[:count], cuts, used, next_line, open_quote
    )


@numba.njit(cache=True, nogil=True)
def _count(data: np.ndarray) -> tuple[int, int]:  # compiled
    newlines, commas = 0, 0
    for byte in data:
        newlines += byte in (LF, CR)
        commas += byte == COMMA
    return newlines, commas


@numba.njit(cache=True, nogil=True)
def _split(
    data: np.ndarray,
    final: bool,
    line: int,
    ends: np.ndarray,
    lines: np.ndarray,
    fields: np.ndarray,
    first: np.ndarray,
    cuts: np.ndarray,
) -> tuple[int, int, int, int]:  # compiled
    count, start, begun_on, quote_line, cut = 0, 0, line, 0, 0
    i, size = 0, len(data)
    in_quote, at_field_start = False, True
    begun_at = 0  # place of the record's first cut
    cuts[0] = 0
    while i < size:
        byte = data[i]
        if in_quote:
            if byte == QUOTE:
                if i + 1 < size and data[i + 1] == QUOTE:
                    i += 1
                elif i + 1 == size and not final:
                    break  # the next byte decides
                else:
                    in_quote = False
            elif byte == LF:
                line += 1
            i += 1
            continue
        if byte > COMMA:  # most bytes by far
            at_field_start = False
        elif byte == COMMA:
            cut += 1
            cuts[cut] = i + 1
            at_field_start = True
        elif byte in (CR, LF):
            if byte == CR and i + 1 == size and not final:
                break
            width = 2 if byte == CR and i + 1 < size and data[i + 1] == LF else 1
            if i > start:
                ends[count], lines[count], fields[count], first[count] = i, begun_on, cut - begun_at + 1, begun_at
                count += 1
                cut += 1
                begun_at = cut
            i += width
            line += 1
            start, begun_on, at_field_start = i, line, True
            cuts[cut] = i
            continue
        elif byte == QUOTE and at_field_start:
            in_quote = True
            quote_line = line
            at_field_start = False
        else:
            at_field_start = False
        i += 1
    if final and not in_quote and size > start:
        ends[count], lines[count], fields[count], first[count] = size, begun_on, cut - begun_at + 1, begun_at
        count += 1
        start, begun_on = size, line
    return count, start, begun_on, quote_line if in_quote else 0


@numba.njit(cache=True, nogil=True)
def _measure(
    data: np.ndarray,
    cuts: np.ndarray,
    first: np.ndarray,
    ends: np.ndarray,
    last: np.ndarray,
    place: int,
    offsets: np.ndarray,
) -> None:  # compiled
    total = 0
    offsets[0] = 0
    for row in range(len(first)):
        i = cuts[first[row] + place]
        end = ends[row] if last[row] else cuts[first[row] + place + 1] - 1
        length = end - i
        if length and data[i] == QUOTE:
            length -= 1
            i += 1
            while i < end:
                if data[i] == QUOTE:
                    length -= 1
                    if i + 1 == end or data[i + 1] != QUOTE:
                        break
                    i += 1
                i += 1
        total += length
        offsets[row + 1] = total


@numba.njit(cache=True, nogil=True)
def _copy(
    data: np.ndarray,
    cuts: np.ndarray,
    first: np.ndarray,
    ends: np.ndarray,
    last: np.ndarray,
    place: int,
    offsets: np.ndarray,
    text: np.ndarray,
) -> None:  # compiled
    for row in range(len(first)):
        i = cuts[first[row] + place]
        end = ends[row] if last[row] else cuts[first[row] + place + 1] - 1
        to = offsets[row]
        if i < end and data[i] == QUOTE:
            i += 1
            while i < end:
                if data[i] == QUOTE:
                    i += 1
                    if i == end or data[i] != QUOTE:
                        break  # what follows a closed quote stands as it is
                text[to] = data[i]
                to += 1
                i += 1
        while i < end:
            text[to] = data[i]
            to += 1
            i += 1
