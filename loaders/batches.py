"""What the readers hand on: a batch of raw columns with the place of every row."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa


@dataclass
class RawBatch:
    """Rows as they stand in the file.

    `columns` maps a feed's column name to its raw values (text, or as Parquet typed them), each of
    length n; `lines` (n,) is the line each row starts on (CSV: 1 is the header's; Parquet: the row
    in its row group, from 1). `broken` are records that are no row: their lines, and the reason they share.
    """

    columns: dict[str, pa.Array]
    lines: np.ndarray
    row_group: int | None = None
    broken: list[tuple[np.ndarray, str]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def read(self) -> int:
        """Rows and records that are none."""
        return len(self) + sum(len(lines) for lines, _ in self.broken)
