"""A table's columns as the importer's CSV: typed headers, and values in the form that each type is read from."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv

from lake.pseudonyms import to_text

LIST_DELIMITER = "\x1f"
DELIMITER_OPTION = "--array-delimiter=U+001F"
SLICE_ROWS = 250_000
"""Rows that are text at a time."""


def header(name: str, kind: pa.DataType) -> str:
    """A column's header: its name and the type of the property.

    >>> header("since", pa.date32()), header("os", pa.list_(pa.string()))
    ('since:date', 'os:string[]')
    """
    return f"{name}:{_type(kind)}"


def _type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"{_type(kind.value_type)}[]"
    if pa.types.is_date(kind):
        return "date"
    if pa.types.is_timestamp(kind):
        return "datetime{timezone:Z}"
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind):
        return "long"
    return "double" if pa.types.is_floating(kind) or pa.types.is_decimal(kind) else "string"


def values(column: pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """A column's values as they go into CSV; null stays null and becomes no property.

    >>> values(pa.chunked_array([pa.array([1_000_001]).cast(pa.timestamp("us"))])).to_pylist()
    ['1970-01-01T00:00:01.000001']
    """
    kind = column.type
    if pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return to_text(column)
    if pa.types.is_timestamp(kind):
        text = column.cast(pa.timestamp("us")).cast(pa.string())
        return pc.binary_replace_slice(text, 10, 11, "T")
    if pa.types.is_list(kind):
        return pc.binary_join(column.cast(pa.list_(pa.string())), LIST_DELIMITER)
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _numbers(column.cast(pa.float64()))
    return column.cast(pa.string()) if pa.types.is_null(kind) else column


def _numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Doubles; where some are no finite number, the text that Java reads them from."""
    if pc.all(pc.is_finite(column)).as_py() is not False:
        return column
    text = column.cast(pa.string())
    for ours, javas in (("nan", "NaN"), ("inf", "Infinity"), ("-inf", "-Infinity")):
        text = pc.if_else(pc.equal(text, ours), javas, text)
    return text


class CsvFile:
    """One CSV file of the importer, written a table at a time. `has_lines`: a value contains a line's end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.has_lines = False
        self._file = open(path, "wb")
        self._has_header = False

    def write(self, headers: list[str], table: pa.Table) -> None:
        """Append rows; `headers` in the order of the columns, the same in every call."""
        for start in range(0, max(table.num_rows, 1), SLICE_ROWS):
            columns = [values(column) for column in table.slice(start, SLICE_ROWS).columns]
            self.has_lines |= any(_has_lines(column) for column in columns)
            options = csv.WriteOptions(include_header=not self._has_header)
            csv.write_csv(pa.table(columns, names=headers), self._file, options)
            self._has_header = True

    def close(self) -> None:
        self._file.close()


def _has_lines(column: pa.Array | pa.ChunkedArray) -> bool:
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return False
    return bool(pc.any(pc.match_substring_regex(column, "[\r\n]")).as_py())
