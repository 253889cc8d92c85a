"""Parts of the state that were made once, in files that every process maps: workers share the pages and start at once.

    HOME/kept/<part>-<digest>    the head's length, the head (JSON), then arrays, each at a multiple of ALIGN bytes

The digest is of all that a part is made from: tables of the lake, what else the caller names, and the code that makes
it. Whoever needs a part that is not there makes it, writes it beside and renames it; the others wait, and map it too. A
home of few customers keeps nothing: making it anew takes no longer.

Everything in a file follows from the lake and the snapshot, and `HOME/kept` may be deleted at any time. It holds the
customers' pseudonyms (mode 0600): `rekey` and `forget` take it away, a backup leaves it out.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import fcntl
import hashlib
import importlib
import json
import mmap
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel

from lake.errors import DiskFull
from lake.home import DERIVED, Home, beside
from lake.tables import Lake

FOLDER = DERIVED[1]
ALIGN = 64
FEWEST = 100_000
"""Customers from which on parts are kept."""
LATEST = 2
"""Files kept of each part, those used last: a command that looks from another day does not take the server's away."""
CODE = ("lake", "loaders", "matching")
"""Rooms whose code makes parts."""

Part = TypeVar("Part")


class Kept:
    """The parts kept in one home."""

    def __init__(self, home: Home, lake: Lake, fewest: int = FEWEST) -> None:
        self._folder = home.root / FOLDER
        self._lake = lake
        self.customers = sum(pq.read_metadata(file).num_rows for file in lake.files("customers"))
        self.is_worthwhile = self.customers >= fewest

    def path(self, name: str, tables: Iterable[str], also: object) -> Path:
        """Where a part is that is made from `tables` of the lake and `also`, any JSON."""
        inputs = json.dumps([self._lake.fingerprint(tables), also, code()], sort_keys=True, default=str)
        return self._folder / f"{name}-{hashlib.sha256(inputs.encode()).hexdigest()[:32]}"

    def part(self, name: str, tables: Iterable[str], also: object, make: Callable[[], Part]) -> Part:
        """What `make` gives, from its file where there is one; it is written where there is not, and the disk has room.

        A part is made of arrays, columns, dates, plain values, lists, tuples, dicts with text as keys, and dataclasses
        and models of `matching`.
        """
        if not self.is_worthwhile:
            return make()
        path = self.path(name, tables, also)
        found = _read(path)
        if found is None:
            with self.alone(name):
                found = _read(path)  # another one may have made it meanwhile
                if found is None:
                    made = make()
                    try:
                        _write(path, made)
                    except DiskFull:
                        return made
                    self._drop(name, path)
                    del made  # from here on its pages are those of the file
                    found = _read(path)
                    assert found is not None, path
        with suppress(FileNotFoundError):
            os.utime(path)
        return found[0]

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """One process at a time does what the block does; the system lets go when it ends, however it ends."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        file = os.open(self._folder / f".{name}", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)

    def _drop(self, name: str, path: Path) -> None:
        """Take away all files of a part but the ones used last, and what killed writers left of it."""
        for left in self._folder.glob(f".{name}-*"):
            left.unlink(missing_ok=True)
        others = [other for other in self._folder.glob(f"{name}-*") if other != path]
        for old in sorted(others, key=lambda p: p.stat().st_mtime_ns, reverse=True)[LATEST - 1 :]:
            old.unlink(missing_ok=True)


@cache
def code() -> str:
    """A digest of the code that makes parts, and what follows from them."""
    total = hashlib.sha256()
    for room in CODE:
        for file in sorted((Path(__file__).parents[1] / room).rglob("*.py")):
            total.update(file.read_bytes())
    return total.hexdigest()


def _write(path: Path, part: Any) -> None:
    arrays: list[np.ndarray] = []
    told = _told(part, arrays)
    places, at = [], 0
    for array in arrays:
        places.append({"type": array.dtype.str, "shape": array.shape, "at": at})
        at += -(-array.nbytes // ALIGN) * ALIGN
    head = json.dumps({"part": told, "arrays": places, "bytes": at}).encode()
    with beside(path) as fresh, open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(len(head).to_bytes(8, "little") + head)
        file.write(bytes(_start(len(head)) - file.tell()))
        for array in arrays:
            file.write(array.data if array.nbytes else b"")
            file.write(bytes(-array.nbytes % ALIGN))
        file.flush()
        os.fsync(file.fileno())  # a name without its bytes must not outlive a power cut


def _read(path: Path) -> tuple[Any] | None:
    """The part in a file (in a tuple, as it may be None), its arrays mapped; None where there is no whole file."""
    try:
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            head = json.loads(file.read(length))
            start = _start(length)
            if os.fstat(file.fileno()).st_size != start + head["bytes"]:
                return None
            # Private and writable, as arrays in memory are: compiled code is not compiled again for arrays of another
            # kind. Nobody writes, so that every page stays shared.
            whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    except (FileNotFoundError, ValueError):
        return None
    arrays = []
    for place in head["arrays"]:
        kind, shape = np.dtype(place["type"]), tuple(place["shape"])
        count = int(np.prod(shape))
        flat = np.frombuffer(whole, kind, count, start + place["at"]) if count else np.empty(0, kind)
        arrays.append(flat.reshape(shape))
    return (_made(head["part"], arrays),)


def _start(head: int) -> int:
    """Where the arrays begin."""
    return -(-(8 + head) // ALIGN) * ALIGN


def _told(value: Any, arrays: list[np.ndarray]) -> Any:
    """A value as JSON, with its arrays put into `arrays`."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.ndarray):
        arrays.append(np.ascontiguousarray(value).reshape(value.shape))
        return {"array": len(arrays) - 1}
    if isinstance(value, (pa.Array, pa.ChunkedArray)):
        table, sink = pa.table({"": value}).combine_chunks(), pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        arrays.append(np.frombuffer(sink.getvalue(), np.uint8))
        return {"column": len(arrays) - 1}
    if isinstance(value, dt.date):
        return {"day": value.isoformat()}
    if isinstance(value, list):
        return [_told(each, arrays) for each in value]
    if isinstance(value, tuple):
        return {"tuple": [_told(each, arrays) for each in value]}
    if isinstance(value, dict):
        return {"dict": {name: _told(each, arrays) for name, each in value.items()}}
    of = f"{type(value).__module__}:{type(value).__qualname__}"
    if isinstance(value, BaseModel):
        return {"of": of, "model": value.model_dump(mode="json")}
    fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return {"of": of, "fields": {name: _told(each, arrays) for name, each in fields.items()}}


def _made(told: Any, arrays: list[np.ndarray]) -> Any:
    """The value that `_told` told of."""
    if isinstance(told, list):
        return [_made(each, arrays) for each in told]
    if not isinstance(told, dict):
        return told
    if "array" in told:
        return arrays[told["array"]]
    if "column" in told:
        table = pa.ipc.open_stream(pa.py_buffer(arrays[told["column"]])).read_all()
        return table.column(0).chunk(0) if table.num_rows else pa.array([], table.schema.field(0).type)
    if "day" in told:
        return dt.date.fromisoformat(told["day"])
    if "tuple" in told:
        return tuple(_made(each, arrays) for each in told["tuple"])
    if "dict" in told:
        return {name: _made(each, arrays) for name, each in told["dict"].items()}
    module, _, name = told["of"].partition(":")
    if not module.startswith("matching."):
        raise ValueError(f"{told['of']} is no part of a state")
    made = getattr(importlib.import_module(module), name)
    if "model" in told:
        return made.model_validate(told["model"])
    return made(**{name: _made(each, arrays) for name, each in told["fields"].items()})
