"""Numbers as operators write them, to normalised digits, whole columns at a time.

Spaces and `-./()` are dropped; `+`, or `00` before more than 6 digits, is taken off; without
either, where a country is set, its trunk prefix is taken off and its calling code put before, as
phonenumbers knows them; up to 6 digits stay as given. Source of the rule: the feed specification.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import numba
import numpy as np
import pyarrow as pa
from phonenumbers import PhoneMetadata

BLOCK = 16
MOST_DIGITS = 15
SHORT = 6

GOOD, EMPTY, LETTER, TOO_LONG, NO_DIGITS = range(5)
REASONS = {LETTER: "has a character that is no digit", TOO_LONG: "has more than 15 digits", NO_DIGITS: "has no digit"}


@numba.njit(cache=True, nogil=True)
def _normalise(
    data: np.ndarray, offsets: np.ndarray, blocks: np.ndarray, status: np.ndarray, national: np.ndarray
) -> None:  # compiled
    digits = np.empty(20, np.uint8)
    for row in range(len(offsets) - 1):
        count, plus, seen, bad = 0, False, False, False
        i, end = offsets[row], offsets[row + 1]
        while i < end:
            byte = data[i]
            i += 1
            if 48 <= byte <= 57:
                if count < 20:
                    digits[count] = byte
                count += 1
                seen = True
            elif byte == 43 and not seen and not plus:  # one + before the first digit
                plus = True
                seen = True
            elif byte == 32 or byte == 9 or byte == 40 or byte == 41 or byte == 45 or byte == 46 or byte == 47:
                continue
            elif byte == 0xC2 and i < end and data[i] == 0xA0:  # no-break space
                i += 1
            else:
                bad = True
                seen = True
        if bad:
            status[row] = 2
            continue
        if count == 0:
            status[row] = 4 if seen or end > offsets[row] else 1
            continue
        first = 0
        if not plus:
            if count > 8 and digits[0] == 48 and digits[1] == 48:
                first = 2
            elif count > 6:
                national[row] = True
        if count - first > 15:
            status[row] = 3
            continue
        for k in range(count - first):
            blocks[row, k] = digits[first + k]


def normalise(column: pa.Array, country: str = "") -> tuple[np.ndarray, np.ndarray]:
    """Text column (n,) to NUL-padded digits (n, 16) uint8 and a status (n,): GOOD, EMPTY or a key of REASONS.

    The digits of a row that is not GOOD are NUL.

    >>> blocks, status = normalise(pa.array(["+49 (151) 123-45", "0151 12345", "110", "Hotline", None]), "DE")
    >>> [row.tobytes().rstrip(bytes(1)).decode() for row in blocks], status.tolist()
    (['4915112345', '4915112345', '110', '', ''], [0, 0, 0, 2, 1])
    """
    rows = len(column)
    blocks = np.zeros((rows, BLOCK), np.uint8)
    status = np.zeros(rows, np.uint8)
    national = np.zeros(rows, np.bool_)
    data, offsets = text_buffers(column)
    _normalise(data, offsets, blocks, status, national)
    if country and national.any():
        where = np.flatnonzero(national & (status == GOOD))
        distinct, inverse = np.unique(blocks[where].view(f"S{BLOCK}").ravel(), return_inverse=True)
        rule = country_rule(country)
        given = [rule.international(text) for text in distinct.astype(f"U{BLOCK}").tolist()]
        too_long = np.array([len(text) > MOST_DIGITS for text in given], bool)
        padded = b"".join(
            b"".ljust(BLOCK, b"\0") if len(t) > MOST_DIGITS else t.encode().ljust(BLOCK, b"\0") for t in given
        )
        blocks[where] = np.frombuffer(padded, np.uint8).reshape(-1, BLOCK)[inverse]
        status[where[too_long[inverse]]] = TOO_LONG
    return blocks, status


def text_buffers(column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """The bytes of a text column and the n + 1 offsets of its rows; a null row is empty."""
    column = column.cast(pa.string()).fill_null("")
    if len(column) == 0:
        return np.zeros(0, np.uint8), np.zeros(1, np.int32)
    _, offsets, data = column.buffers()
    positions = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    return (np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)), positions


class CountryRule:
    """One country's calling code and trunk prefix.

    The prefix is taken off as phonenumbers' parser does it: not when that would make a well-formed
    number ill-formed, or leave too few digits (`8005553535` in Russia keeps its 8).
    """

    def __init__(self, country: str) -> None:
        facts: Any = PhoneMetadata.metadata_for_region(country)  # its fields are filled in lazily, untyped
        self.code = str(facts.country_code)
        self._prefix = re.compile(facts.national_prefix_for_parsing or r"(?!)")
        self._transform = re.sub(r"\$(\d)", r"\\\1", facts.national_prefix_transform_rule or "")
        self._pattern = re.compile(facts.general_desc.national_number_pattern or r".*")
        self._lengths = set(facts.general_desc.possible_length)
        self._longest = max(self._lengths, default=0)

    def international(self, digits: str) -> str:
        """Calling code and national number of one number given in national form.

        >>> country_rule("DE").international("015112345678"), country_rule("IT").international("0612345678")
        ('4915112345678', '390612345678')
        """
        return self.code + self._national(digits)

    def _national(self, digits: str) -> str:
        found = self._prefix.match(digits)
        if found is None or not found.group():
            return digits
        groups = found.re.groups
        if self._transform and groups and found.group(groups) is not None:
            rest = found.expand(self._transform) + digits[found.end() :]
        else:
            rest = digits[found.end() :]
        if self._pattern.fullmatch(digits) and not self._pattern.fullmatch(rest):
            return digits
        fits = len(rest) in self._lengths or len(rest) > self._longest
        return rest if fits else digits


@lru_cache(maxsize=4)
def country_rule(country: str) -> CountryRule:
    """The rule of an ISO country code, as `Settings.country` has it."""
    return CountryRule(country)
