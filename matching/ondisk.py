"""Rows of an array in a file, read when they are asked for.

A map would do, but every page of it that was touched counts as memory of the process: in the end all vectors of all
customers, of which a decision needs one. What is read here is the system's to keep in its cache, or not.
"""

from __future__ import annotations

import os
import weakref
from typing import cast

import numpy as np

from lake.errors import HomeError


class OnDisk:
    """A mapped array (n, d), of which rows are read: `rows[places]` gives a new array, as of any array.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/a.npy", np.arange(6.0).reshape(3, 2))
    ...     rows = OnDisk(np.load(f"{folder}/a.npy", mmap_mode="r"))
    ...     rows[np.array([2, 0])].tolist(), rows[np.array([-1])].tolist(), rows.shape, len(rows)
    ([[4.0, 5.0], [0.0, 1.0]], [[4.0, 5.0]], (3, 2), 3)
    """

    def __init__(self, mapped: np.memmap) -> None:
        self.shape, self.dtype = mapped.shape, mapped.dtype
        self._at, self._width = mapped.offset, mapped.shape[1] * mapped.itemsize
        self._file = os.open(str(mapped.filename), os.O_RDONLY)  # stays readable when the snapshot is taken away
        weakref.finalize(self, os.close, self._file)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, places: np.ndarray) -> np.ndarray:
        """The rows at `places` (b,), integers, from the end where negative. Raises HomeError for a file cut short."""
        places = np.asarray(places)
        places = np.where(places < 0, places + len(self), places)
        out = np.empty((len(places), *self.shape[1:]), self.dtype)
        if not out.size:
            return out
        into = out.data.cast("B")
        if np.array_equal(places, np.arange(places[0], places[0] + len(places))):
            self._read(into, int(places[0]))
        else:
            for i, place in enumerate(places.tolist()):
                self._read(into[i * self._width : (i + 1) * self._width], place)
        return out

    def _read(self, into: memoryview, place: int) -> None:
        at = self._at + place * self._width
        while into:
            count = os.preadv(self._file, [into], at)
            if not count:
                raise HomeError("a file of the snapshot was cut short", "train again with `dumbbell embed --force`")
            into, at = into[count:], at + count


def read_when_asked(array: np.ndarray) -> np.ndarray:
    """The array, or what reads like it by rows where it is mapped row by row."""
    is_mapped = isinstance(array, np.memmap) and array.ndim == 2 and array.flags.c_contiguous and array.size
    return cast(np.ndarray, OnDisk(array)) if is_mapped else array  # type: ignore[arg-type]
