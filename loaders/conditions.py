"""The condition language of an offer's audience: `city = Bonn and handset.os in (android, ios)`.

    condition := all { "or" all }        all  := each { "and" each }
    each      := "not" each | "(" condition ")" | test
    test      := field op value | field "in" "(" value { "," value } ")" | field "is" "empty"

`op` is one of `= != < <= > >=`; a field is a column of `users`, or of the customer's current
handset (`handset.os`), plan (`plan.monthly_fee`) or latest bill (`bill.mb`). Text of more than one
word is in double quotes; dates compare with dates or `today ± N` (days). An empty field equals
nothing, is before and after nothing, and `!=` is the opposite of `=`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders import grammar
from loaders.grammar import Both, Either, Node, Not, Today, Value, column_of

__all__ = ["Condition", "column_of"]

COMPARE = {
    "=": pc.equal,
    "<": pc.less,
    "<=": pc.less_equal,
    ">": pc.greater,
    ">=": pc.greater_equal,
}


@dataclass(frozen=True)
class Condition:
    """A parsed condition.

    >>> Condition.parse("birth_year >= 1990 and not handset.os = ios").fields
    ('birth_year', 'handset.os')
    """

    root: Node | None
    fields: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Read and check a condition; empty text is the condition that all meet.

        Raises BadValue, naming the field, for an unknown field, a value of another type than the
        field's, or text that is no condition.
        """
        return cls(*grammar.parse(text))

    def mask(self, frame: pa.Table, today: dt.date) -> np.ndarray:
        """Which rows of `frame` meet it, (n,) bool.

        `frame` has a column for each of `fields`: a column of users by its name, the others as
        `handset.os`, `plan.monthly_fee`, `bill.mb`; null where the customer has none.

        >>> frame = pa.table({"city": ["Bonn", "Ulm", None]})
        >>> Condition.parse("city != Bonn").mask(frame, dt.date(2026, 5, 1)).tolist()
        [False, True, True]
        """
        if self.root is None:
            return np.ones(frame.num_rows, bool)
        return _mask(self.root, frame, today)


def _mask(node: Node, frame: pa.Table, today: dt.date) -> np.ndarray:
    if isinstance(node, Not):
        return ~_mask(node.part, frame, today)
    if isinstance(node, Both):
        return np.logical_and.reduce([_mask(part, frame, today) for part in node.parts])
    if isinstance(node, Either):
        return np.logical_or.reduce([_mask(part, frame, today) for part in node.parts])
    column = frame.column(node.field)
    if node.op == "empty":
        return _plain(pc.is_null(column))
    values = [today + dt.timedelta(days=v.days) if isinstance(v, Today) else v for v in node.values]
    compare = _contains if pa.types.is_list(column.type) else COMPARE.get(node.op, pc.equal)
    found = np.logical_or.reduce([_plain(compare(column, _scalar(v, column.type))) for v in values])
    return ~found if node.op == "!=" else found


def _scalar(value: Value, kind: pa.DataType) -> pa.Scalar:
    """A value as the column's type, whole numbers staying exact beside decimals."""
    if isinstance(value, float) and not (value.is_integer() and pa.types.is_integer(kind)):
        return pa.scalar(value, pa.float64())
    return pa.scalar(int(value), kind) if isinstance(value, float) else pa.scalar(value)


def _contains(column: pa.ChunkedArray, value: pa.Scalar) -> pa.Array:
    lists = column.combine_chunks()
    rows = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False)
    found = np.zeros(len(lists), bool)
    found[rows[_plain(pc.equal(pc.list_flatten(lists), value))]] = True
    return pa.array(found)


def _plain(mask: pa.Array | pa.ChunkedArray) -> np.ndarray:
    return (
        mask.fill_null(False).to_numpy(zero_copy_only=False).astype(bool)
        if isinstance(mask, pa.Array)
        else (mask.fill_null(False).to_numpy().astype(bool))
    )
