"""The customers that segments are made of: those on the operator's own network, as dense rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lake.tables import Lake


@dataclass(frozen=True)
class Population:
    """On-net customers, sorted by pseudonym; row i of every matrix and array here is `users[i]`."""

    table: pa.Table
    """Their rows of the lake's `customers`."""

    @classmethod
    def read(cls, lake: Lake) -> Population:
        """From the lake. Raises NotReady where there is no `customers`."""
        customers = lake.read("customers")
        return cls(customers.filter(pc.invert(customers["off_net"])).sort_by("user").combine_chunks())

    def __len__(self) -> int:
        return self.table.num_rows

    @cached_property
    def users(self) -> pa.Array:
        """Binary pseudonyms, (n,)."""
        return self.table["user"].combine_chunks().cast(pa.binary())

    def positions(self, users: pa.Array | pa.ChunkedArray) -> np.ndarray:
        """Row of each pseudonym, int64, -1 for those who are not on-net customers."""
        found = pc.index_in(users.cast(pa.binary()), value_set=self.users)
        return pc.fill_null(found, -1).to_numpy().astype(np.int64)

    def column(self, name: str) -> pa.Array:
        """A column of `customers`; nulls where the table has none of that name."""
        if name not in self.table.column_names:
            return pa.nulls(len(self))
        return self.table[name].combine_chunks()
