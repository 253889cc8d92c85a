"""Service numbers, found by behaviour: hundreds of others call them, and they hardly ever call anyone back.

Hotlines, voice mail and information services would tie everybody to everybody, so they are set apart before
circles are drawn. A number that `users` names is what `users` says: a service only when its kind is so.
"""

from __future__ import annotations

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from lake.tables import Lake

CALLERS = 100
"""Distinct callers, over all periods together, from which on a number may be a service."""

CALLED_SHARE = 0.05
"""A service calls at most this share as many distinct numbers as call it."""

NONE = pa.table(
    {"user": pa.array([], pa.binary()), "callers": pa.array([], pa.int64()), "called": pa.array([], pa.int64())}
)


def classes(lake: Lake) -> pa.Table:
    """What is known of each number before any call is read: `user, on_net, service, judged`.

    `service` is what `users` says; `judged` marks the numbers that behaviour decides on, those that no row of
    `users` names.
    """
    customers = lake.read("customers", ["user", "off_net", "kind"])
    on_net = pc.invert(customers["off_net"])
    named = on_net if lake.has("users") else pc.and_(on_net, pa.scalar(False))
    service = pc.and_(named, pc.fill_null(pc.equal(customers["kind"], "service"), False))
    return pa.table({"user": customers["user"], "on_net": on_net, "service": service, "judged": pc.invert(named)})


def found_services(pairs: dict[str, ibis.Table], known: pa.Table) -> pa.Table:
    """Numbers that behave as services over all periods: `user, callers, called` (distinct parties), by user.

    `pairs` are each period's rows in both directions, `known` what `classes` gives. Exact sets of callers are made
    for the few candidates alone: those to be judged with `CALLERS` callers when months are simply added up.
    """
    counted = [
        rows.group_by("user").aggregate(callers=(rows.calls_in + rows.messages_in > 0).sum()) for rows in pairs.values()
    ]
    months = ibis.union(*counted) if len(counted) > 1 else counted[0]
    total = months.group_by("user").aggregate(callers=months.callers.sum())
    many = total.filter(total.callers >= CALLERS).select("user").to_pyarrow()["user"].combine_chunks()
    candidates = known.filter(pc.and_(known["judged"], pc.is_in(known["user"], value_set=many))).select(["user"])
    if not candidates.num_rows:
        return NONE
    some = ibis.memtable(candidates)
    ever = ibis.union(*[_parties(rows, some) for rows in pairs.values()]) if len(pairs) > 1 else None
    ever = _parties(next(iter(pairs.values())), some) if ever is None else ever
    once = ever.group_by("user", "contact").aggregate(in_=ever.in_.max(), out=ever.out.max())
    found = once.group_by("user").aggregate(callers=once.in_.sum(), called=once.out.sum())
    found = found.filter(found.callers >= CALLERS, found.called <= found.callers * CALLED_SHARE)
    return found.order_by("user").to_pyarrow().cast(NONE.schema)


def with_found(known: pa.Table, found: pa.Table) -> pa.Table:
    """`classes` with the services that behaviour showed: `user, on_net, service`."""
    shown = pc.is_in(known["user"], value_set=found["user"].combine_chunks())
    return pa.table({"user": known["user"], "on_net": known["on_net"], "service": pc.or_(known["service"], shown)})


def _parties(rows: ibis.Table, wanted: ibis.Table) -> ibis.Table:
    """Of the wanted numbers, each contact, and whether it called them (`in_`, 0 or 1) or was called (`out`)."""
    return rows.semi_join(wanted, "user").select(
        "user",
        "contact",
        in_=lambda t: ((t.calls_in + t.messages_in) > 0).cast("int64"),
        out=lambda t: ((t.calls_out + t.messages_out) > 0).cast("int64"),
    )
