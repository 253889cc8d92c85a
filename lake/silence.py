"""Customers who left without a word: a whole period of silence after one that was not."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from lake.tables import Lake


def gone_silent(lake: Lake) -> pa.Array:
    """Pseudonyms (binary, sorted) of on-net customers who fell silent, where neither `status` nor `left_on` is known.

    `circles` holds each on-net customer until that customer left, so one whose rows end before the table's
    last period has. Empty without `circles`.
    """
    if not lake.has("circles"):
        return pa.array([], pa.binary())
    circles = lake.scan("circles")
    last = circles.group_by("user").aggregate(last=circles.period.max()).to_pyarrow()
    users = last.filter(pc.less(last["last"], pc.max(last["last"])))["user"]
    customers = lake.read("customers", ["user", "status", "left_on"])
    unsaid = customers.filter(pc.and_(pc.is_null(customers["status"]), pc.is_null(customers["left_on"])))["user"]
    return unsaid.filter(pc.is_in(unsaid, value_set=users.combine_chunks())).combine_chunks()
