"""Parquet's typed columns as the text that a CSV would hold, so that one set of rules reads both."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lake.errors import FeedError

_TEXTS = (pa.binary(), pa.large_binary(), pa.binary_view(), pa.large_string(), pa.string_view())


def as_text(column: pa.Array, place: str) -> pa.Array:
    """A column of any plain type as text, empty where null.

    Raises FeedError, naming `place`, for a nested type and for text that is no UTF-8.

    >>> as_text(pa.array([5.0, 2.5, None]), "users.parquet, column star").to_pylist()
    ['5', '2.5', '']
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    if pa.types.is_string(kind):
        return column.fill_null("") if column.null_count else column
    if pa.types.is_null(kind):
        return pa.array([""] * len(column), pa.string())
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        lists = _as(column, pa.list_(pa.string()), place)
        return pc.binary_join(lists, ";").fill_null("")
    if pa.types.is_floating(kind):
        return _floats(column.cast(pa.float64()))
    if pa.types.is_decimal(kind):
        return _decimals(column)
    if pa.types.is_boolean(kind):
        return pc.if_else(column, "true", "false").fill_null("")
    if pa.types.is_date(kind):
        return column.cast(pa.date32()).cast(pa.string()).fill_null("")
    if pa.types.is_timestamp(kind):
        return _timestamps(column)
    if kind in _TEXTS:
        return _utf8(column, place)
    return _as(column, pa.string(), place).fill_null("")


def _as(column: pa.Array, kind: pa.DataType, place: str) -> pa.Array:
    try:
        return column.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise FeedError(f"{place} has the type {column.type}", "write it as text, or as a plain type") from error


def _floats(column: pa.Array) -> pa.Array:
    values = column.fill_null(np.nan).to_numpy(zero_copy_only=False)
    whole = np.isfinite(values) & (np.abs(values) < 2**53) & (np.trunc(values) == values)
    integers = pa.array(np.where(whole, values, 0).astype(np.int64)).cast(pa.string())
    text = pc.if_else(pa.array(whole), integers, column.cast(pa.string()))
    return pc.if_else(pa.array(np.isnan(values)), "", text).fill_null("")


def _decimals(column: pa.Array) -> pa.Array:
    """Whole values without a point: `5.00` would be another identifier than `5`, and a number grow by two digits."""
    most, wide = (76, pa.decimal256) if pa.types.is_decimal256(column.type) else (38, pa.decimal128)
    if column.type.scale <= 0:
        return column.cast(wide(most)).cast(pa.string()).fill_null("")
    column = column.cast(wide(most, column.type.scale))  # the narrower types cannot be cut to whole values
    whole = pc.equal(pc.trunc(column), column)
    integers = pc.if_else(whole, column, pa.scalar(None, column.type)).cast(wide(most)).cast(pa.string())
    return pc.if_else(whole, integers, column.cast(pa.string())).fill_null("")


def _timestamps(column: pa.Array) -> pa.Array:
    """ISO 8601 with `Z` when the column has a zone; midnight without a zone stays a date (as pandas writes dates)."""
    micros = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    plain = micros.cast(pa.int64()).cast(pa.timestamp("us"))
    text = plain.cast(pa.string())
    return (pc.binary_join_element_wise(text, "Z", "") if column.type.tz else text).fill_null("")


def _utf8(column: pa.Array, place: str) -> pa.Array:
    try:
        text = column.cast(pa.string())
        text.validate(full=True)
        return text.fill_null("")
    except pa.ArrowInvalid as error:
        raise FeedError(f"{place} holds bytes that are no UTF-8", "write it as text") from error
