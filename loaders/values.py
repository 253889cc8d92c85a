"""One column of text to its values: what each type accepts, and why a value is bad.

Every parser takes text (n,) with surrounding space taken off and gives `Parsed`; an empty value is
null, never bad.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lake.errors import BadValue
from lake.pseudonyms import Pseudonyms
from loaders import moments, numbers
from loaders.conditions import Condition
from loaders.feeds import Column
from loaders.urls.addresses import tidy

MOST_REASONS = 250  # of one batch: a reason's place has to fit in a byte
FIRST, AFTER = 0, 7_258_118_400 * moments.SECOND  # 1970-01-01 and 2200-01-01


@dataclass(frozen=True)
class Rules:
    """What values are read by: the key for numbers, the country, and the zone of moments without one."""

    pseudonyms: Pseudonyms
    country: str = ""
    timezone: str = "UTC"


@dataclass
class Parsed:
    """`values` (n,) with null where empty or bad; `code` (n,) uint8: 0, or 1 + the place in `reasons`.

    `extra` holds what an event's moment gives besides: `day`, `hour`.
    """

    values: pa.Array
    code: np.ndarray
    reasons: tuple[str, ...]
    extra: dict[str, pa.Array] = field(default_factory=dict)


def parse(column: Column, text: pa.Array, rules: Rules) -> Parsed:
    """The values of one column."""
    return _PARSERS[column.type](column, text, rules)


def given(text: pa.Array) -> np.ndarray:
    """Which values are not empty (n,) bool."""
    return _numpy(pc.greater(pc.binary_length(text), 0))


def _numpy(mask: pa.Array) -> np.ndarray:
    return mask.fill_null(False).to_numpy(zero_copy_only=False).astype(bool, copy=False)


def _judged(values: pa.Array, text: pa.Array, good: np.ndarray, reason: str) -> Parsed:
    bad = given(text) & ~good
    return Parsed(values, bad.astype(np.uint8), (reason,))


def _number(column: Column, text: pa.Array, rules: Rules) -> Parsed:
    blocks, status = numbers.normalise(text, rules.country)
    values = rules.pseudonyms.of_blocks(blocks, status != numbers.GOOD)
    code = np.array([0, 0, 1, 2, 3], np.uint8)[status]
    return Parsed(values, code, tuple(numbers.REASONS.values()))


def _hashed(column: Column, text: pa.Array, rules: Rules) -> Parsed:
    return _judged(rules.pseudonyms.of_texts(_null_if_empty(text)), text, given(text), "")


def _text(column: Column, text: pa.Array, rules: Rules) -> Parsed:
    return _judged(_null_if_empty(text), text, given(text), "")


def _null_if_empty(text: pa.Array, keep: np.ndarray | None = None) -> pa.Array:
    keep = given(text) if keep is None else keep & given(text)
    return text if keep.all() else pc.if_else(pa.array(keep), text, pa.scalar(None, pa.string()))


def _handset(column: Column, text: pa.Array, rules: Rules) -> Parsed:
    digits = pc.replace_substring_regex(text, r"[ \-./]", "")
    imei = pc.match_substring_regex(digits, r"^[0-9]{14,16}$")
    cut = pc.if_else(imei, pc.utf8_slice_codeunits(digits, 0, 8), text)
    return _judged(_null_if_empty(cut), text, given(text), "")


def _date(column: Column, text: pa.Array, rules: Rules) -> Parsed:
    micros, form = moments.parse(text)
    midnight = (form == moments.LOCAL) & (micros % moments.DAY == 0)  # a Parquet timestamp without a zone
    good = (form == moments.DATE) | (midnight & _numpy(pc.ends_with(text, "00:00:00.000000")))
    days = pa.array((micros // moments.DAY).astype(np.int32), mask=~good)
    return _judged(days.cast(pa.date32()), text, good, "is no date (YYYY-MM-DD)")


def _moment(column: Column, text: pa.Array, rules: Rules) -> Parsed:
    micros, form = moments.parse(text)
    zone = moments.zone(rules.timezone)
    utc, missing = zone.to_utc(micros)
    dated = form == moments.DATE
    local, instant = form == moments.LOCAL, form == moments.INSTANT
    missing &= local
    good = (local & ~missing) | instant
    if column.type == "date or moment":
        good |= dated
    odd = good & ((micros < FIRST) | (micros >= AFTER))  # a slip of the pen would else make centuries of periods
    good &= ~odd
    utc = np.where(instant, micros, utc)
    on_clock = np.where(instant, zone.to_local(utc), micros)
    code = np.where(missing, 2, np.where(odd, 3, np.where((form != moments.EMPTY) & ~good, 1, 0))).astype(np.uint8)
    day = pa.array((on_clock // moments.DAY).astype(np.int32), mask=~good).cast(pa.date32())
    hour = pa.array((on_clock % moments.DAY // (3600 * moments.SECOND)).astype(np.uint8), mask=~good | dated)
    values = pa.array(utc, mask=~good).cast(pa.timestamp("us"))
    wanted = "is no moment (ISO 8601)" if column.type == "moment" else "is no date and no moment (ISO 8601)"
    reasons = (wanted, f"does not occur in {rules.timezone} (the clock skips it)", "is outside the years 1970 to 2199")
    return Parsed(values, code, reasons, {"day": day, "hour": hour})


def _month(column: Column, text: pa.Array, rules: Rules) -> Parsed:
    good = _numpy(pc.match_substring_regex(text, r"^[0-9]{4}-(0[1-9]|1[0-2])$"))
    return _judged(_null_if_empty(text, good), text, good, "is no month (YYYY-MM)")


def _integer(column: Column, text: pa.Array, rules: Rules) -> Parsed:
    good = _numpy(pc.match_substring_regex(text, r"^-?[0-9]{1,18}(\.0*)?$"))
    digits = _null_if_empty(text, good)
    if _numpy(pc.match_substring(digits, ".")).any():
        digits = pc.replace_substring_regex(digits, r"\..*$", "")
    return _bounded(column, digits.cast(pa.int64()), text, good, "is no whole number")


def _decimal(column: Column, text: pa.Array, rules: Rules) -> Parsed:
    good = _numpy(pc.match_substring_regex(text, r"^[+-]?([0-9]{1,300}(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,2})?$"))
    digits = pc.replace_substring_regex(_null_if_empty(text, good), r"^\+", "")
    return _bounded(column, digits.cast(pa.float64()), text, good, "is no decimal")


def _bounded(column: Column, values: pa.Array, text: pa.Array, good: np.ndarray, reason: str) -> Parsed:
    low, high = column.low, column.high
    plain = values.fill_null(0).to_numpy(zero_copy_only=False)
    inside = np.isfinite(plain)
    if low is not None:
        inside &= plain >= low
        reason += f" from {low:g}"
    if high is not None:
        inside &= plain <= high
        reason += f" to {high:g}"
    good = good & inside
    return _judged(pc.if_else(pa.array(good), values, pa.scalar(None, values.type)), text, good, reason)


def _boolean(column: Column, text: pa.Array, rules: Rules) -> Parsed:
    lower = pc.ascii_lower(text)
    yes, no = _numpy(pc.equal(lower, "true")), _numpy(pc.equal(lower, "false"))
    return _judged(pa.array(yes, mask=~(yes | no)), text, yes | no, "is not true or false")


def _choice(column: Column, text: pa.Array, rules: Rules) -> Parsed:
    lower = pc.ascii_lower(text)
    good = _numpy(pc.is_in(lower, pa.array(column.allowed)))
    return _judged(_null_if_empty(lower, good), text, good, f"is none of {', '.join(column.allowed)}")


def _list(column: Column, text: pa.Array, rules: Rules) -> Parsed:
    tidy = pc.replace_substring_regex(text, r"\s*;[;\s]*", ";")
    tidy = pc.utf8_trim(tidy, "; ")
    lists = pc.split_pattern(_null_if_empty(tidy), ";").cast(pa.list_(pa.string()))
    return _judged(lists, text, given(tidy), "lists nothing")


def _url(column: Column, text: pa.Array, rules: Rules) -> Parsed:
    clean = tidy(text)
    good = _numpy(pc.match_substring_regex(clean, r"^[^/\s]"))
    return _judged(_null_if_empty(clean, good), text, good, "has no host")


def _condition(column: Column, text: pa.Array, rules: Rules) -> Parsed:
    """Conditions are few (a row an offer): parsed one by one, each with its own reason."""
    reasons: list[str] = []
    code = np.zeros(len(text), np.uint8)
    for row, condition in enumerate(text.to_pylist()):
        try:
            if condition:
                Condition.parse(condition)
        except BadValue as error:
            found = error.found if error.found in reasons or len(reasons) < MOST_REASONS else "is no condition"
            if found not in reasons:
                reasons.append(found)
            code[row] = 1 + reasons.index(found)
    return Parsed(_null_if_empty(text, code == 0), code, tuple(reasons))


_PARSERS: dict[str, Callable[[Column, pa.Array, Rules], Parsed]] = {
    "number": _number,
    "hashed": _hashed,
    "id": _text,
    "handset": _handset,
    "text": _text,
    "date": _date,
    "moment": _moment,
    "date or moment": _moment,
    "month": _month,
    "integer": _integer,
    "decimal": _decimal,
    "boolean": _boolean,
    "choice": _choice,
    "list": _list,
    "url": _url,
    "condition": _condition,
}
