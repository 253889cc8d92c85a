"""An answer as bytes, a chunk at a time: JSON, JSON lines, CSV or an Arrow stream; or as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from cypher.run import Result, Row
from cypher.types import ARROW
from lake.errors import BadValue, QueryRefused, QueryTooHeavy
from lake.home import beside

CHUNK = 1_000
"""Rows written at once."""


def json(result: Result) -> Iterator[bytes]:
    """One object: `template`, `columns`, `items` (an object a row), `truncated`, `next` (always null)."""
    columns = [{"name": column.name, "type": column.type} for column in result.template.columns]
    yield b'{"template":' + orjson.dumps(result.template.name) + b',"columns":' + orjson.dumps(columns) + b',"items":['
    comma = b""
    for rows in _chunks(result):
        yield comma + b",".join(orjson.dumps(item) for item in _objects(result, rows))
        comma = b","
    yield b'],"truncated":' + orjson.dumps(result.truncated) + b',"next":null}\n'


def json_lines(result: Result) -> Iterator[bytes]:
    """One object a row and line. Raises QueryTooHeavy at the row cap: a part never looks whole."""
    for rows in _chunks(result):
        yield b"".join(orjson.dumps(item) + b"\n" for item in _objects(result, rows))
    _whole(result)


def csv_lines(result: Result) -> Iterator[bytes]:
    """RFC 4180 with a header; null is an empty cell, a list is joined by `;`. Raises QueryTooHeavy at the row cap."""
    yield _csv([result.columns])
    for rows in _chunks(result):
        yield _csv([tuple(_cell(value) for value in row) for row in rows])
    _whole(result)


def arrow(result: Result) -> Iterator[bytes]:
    """An Arrow IPC stream typed as the columns declare. Raises QueryTooHeavy at the row cap."""
    schema = _schema(result)
    buffer = io.BytesIO()
    with pa.ipc.new_stream(buffer, schema) as writer:
        for rows in _chunks(result):
            writer.write_batch(batch(result, rows, schema))
            yield _taken(buffer)
    yield _taken(buffer)
    _whole(result)


def table(result: Result) -> pa.Table:
    """The whole answer in memory."""
    schema = _schema(result)
    return pa.Table.from_batches([batch(result, rows, schema) for rows in _chunks(result)], schema)


def batch(result: Result, rows: list[Row], schema: pa.Schema) -> pa.RecordBatch:
    """Rows as one record batch. Raises QueryRefused, naming a column that holds another type than it declares."""
    arrays = []
    for column, values in zip(result.template.columns, zip(*rows, strict=True), strict=True):
        try:
            arrays.append(pa.array(values, ARROW[column.type]))
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            raise QueryRefused(
                f"column {column.name} of template {result.template.name} holds values that are not {column.type}",
                "mend the column's type in its front matter",
            ) from None
    return pa.record_batch(arrays, schema=schema)


FORMATS: dict[str, Callable[[Result], Iterator[bytes]]] = {
    "application/json": json,
    "application/x-ndjson": json_lines,
    "text/csv": csv_lines,
    "application/vnd.apache.arrow.stream": arrow,
}
"""Writers by media type, the first is the usual one."""

SUFFIXES = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".arrow": "application/vnd.apache.arrow.stream",
    ".parquet": "",
}
"""Forms of a file by its suffix; Parquet is not sent over HTTP."""


def write_file(result: Result, path: Path) -> int:
    """Write the answer in the form that the file's suffix names, beside first, then renamed; rows written.

    Raises BadValue for a suffix of no form or an absent folder, DiskFull where the disk will not do.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise BadValue(f"{path.name} has no known suffix", f"end it in {', '.join(SUFFIXES)}")
    if not path.parent.is_dir():
        raise BadValue(f"there is no folder {path.parent}", "make it, or name another file")
    with beside(path) as fresh:
        if suffix == ".parquet":
            _write_parquet(result, fresh)
        else:
            with open(fresh, "wb") as file:
                file.writelines(FORMATS[SUFFIXES[suffix]](result))
    return result.taken


def _write_parquet(result: Result, path: Path) -> None:
    schema = _schema(result)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for rows in _chunks(result):
            writer.write_batch(batch(result, rows, schema))
    _whole(result)


def _schema(result: Result) -> pa.Schema:
    return pa.schema([pa.field(column.name, ARROW[column.type]) for column in result.template.columns])


def _chunks(result: Result) -> Iterator[list[Row]]:
    while rows := list(islice(result.rows, CHUNK)):
        yield rows


def _objects(result: Result, rows: list[Row]) -> Iterator[dict[str, Any]]:
    return (dict(zip(result.columns, row, strict=True)) for row in rows)


def _whole(result: Result) -> None:
    if result.truncated:
        raise QueryTooHeavy(
            f"template {result.template.name} has more rows than may be sent at once", "ask for fewer with its limit"
        )


def _csv(rows: list[Row]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ";".join(str(item) for item in value)
    return value


def _taken(buffer: io.BytesIO) -> bytes:
    chunk = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return chunk
