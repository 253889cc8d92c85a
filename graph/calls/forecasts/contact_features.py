"""Features of calls, circle, neighbours who left, and community."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from graph.calls.forecasts.history import EARLIER, Columns, History, against_network, mean, ratio

CIRCLE = (
    "contacts", "reciprocal", "new", "lost", "kept", "jaccard", "entropy",
    "strength_lost", "against_self", "against_peers", "p_value", "shrinking",
)  # fmt: skip
COUNTS = ("calls_out", "calls_in", "seconds_out", "seconds_in", "messages_out", "messages_in")


def features(history: History, place: int) -> Columns:
    """The contacts of the period that ends then, beside those of up to three earlier ones."""
    return {
        **_circle(history, place),
        **_calls(history, place),
        **_neighbours(history, place),
        **_community(history, place),
    }


def _circle(history: History, place: int) -> Columns:
    at, rows = history.rows("circles", place, list(CIRCLE))
    found = {name: history.spread(at, rows[name]) for name in CIRCLE}
    before = {}
    if place:
        at, rows = history.rows("circles", place - 1, ["against_peers", "shrinking"])
        before = {name: history.spread(at, rows[name]) for name in ("against_peers", "shrinking")}
    nothing = np.full(history.n, np.nan, np.float32)
    return found | {f"{name}_before": before.get(name, nothing) for name in ("against_peers", "shrinking")}


def _calls(history: History, place: int) -> Columns:
    contacts = history.lake.scan("contacts", history.periods[place])
    own = contacts.group_by("user").aggregate(
        **{name: contacts[name].sum().cast("float64") for name in COUNTS},
        one_way=((contacts.calls_in + contacts.messages_in) == 0).mean(),
        days_a_contact=contacts.days.mean(),
    )
    rows = own.to_pyarrow()
    at = history.customers.positions.known(rows["user"])
    kept = history.customers.on_net[at]
    raw = {name: rows[name].to_numpy()[kept] for name in rows.column_names if name != "user"}
    there = history.customers.listed(place)
    totals = {name: np.where(there, np.nan_to_num(history.spread(at[kept], raw[name])), np.nan) for name in COUNTS}
    out = (totals["calls_out"] + totals["messages_out"]).astype(np.float32)
    both = out + (totals["calls_in"] + totals["messages_in"]).astype(np.float32)
    earlier = [_events(history, place - back) for back in range(1, min(place, EARLIER) + 1)]
    usual = mean(earlier, history.n)
    return {
        "events": both,
        "events_usual": usual,
        "events_change": against_network(ratio(both, usual)),
        "out_share": ratio(out, both),
        "seconds_a_call": ratio(totals["seconds_out"] + totals["seconds_in"], totals["calls_out"] + totals["calls_in"]),
        "message_share": ratio(totals["messages_out"] + totals["messages_in"], both),
        "one_way": history.spread(at[kept], raw["one_way"]),
        "days_a_contact": history.spread(at[kept], raw["days_a_contact"]),
        "off_net_share": _off_net_share(history, place),
    }


def _events(history: History, place: int) -> np.ndarray:
    """Calls and messages of a period; nan for who was not there."""
    now = history.ties(place)
    added = np.concatenate([[0], np.cumsum(now.out + now.in_, dtype=np.int64)])
    events = added[now.starts[1:]] - added[now.starts[:-1]]
    return np.where(history.customers.listed(place), events, np.nan).astype(np.float32)


def _off_net_share(history: History, place: int) -> np.ndarray:
    now = history.ties(place)
    weight = (now.out + now.in_).astype(np.float64)
    whose = np.repeat(np.arange(history.n, dtype=np.int32), now.sizes)
    every = np.bincount(whose, weight, history.n)
    return ratio(np.bincount(whose, weight * ~history.customers.on_net[now.contact], history.n), every)


def _neighbours(history: History, place: int) -> Columns:
    """Of the contacts of the last period and the one before it, who has left since."""
    found: Columns = {}
    for back in (1, 2):
        share = many = np.full(history.n, np.nan, np.float32)
        if place >= back:
            then = history.ties(place - back)
            whose = np.repeat(np.arange(history.n, dtype=np.int32), then.sizes)
            gone = history.left[then.contact] <= place
            weight = (then.out + then.in_).astype(np.float64)
            every = np.bincount(whose, weight, history.n)
            share = ratio(np.bincount(whose, weight * gone, history.n), every)
            many = np.bincount(whose, gone, history.n).astype(np.float32)
        found |= {f"contacts_left_{back}": many, f"contacts_left_share_{back}": share}
    return found


def _community(history: History, place: int) -> Columns:
    """Size of the community, and the share of the other members of the period before who left since then."""
    size = left = np.full(history.n, np.nan, np.float32)
    if not history.lake.has("communities"):
        return {"community_size": size, "community_left_share": left}
    at, rows = _finest(history, place)
    size = history.spread(at, rows["size"])
    if place:
        at, rows = _finest(history, place - 1)
        code = rows["community"].combine_chunks().dictionary_encode().indices.to_numpy()
        gone = history.left[at] <= place
        members, lost = np.bincount(code), np.bincount(code, gone)
        left = history.spread(at, ratio(lost[code] - gone, members[code] - 1))
    return {"community_size": size, "community_left_share": left}


def _finest(history: History, place: int) -> tuple[np.ndarray, pa.Table]:
    at, rows = history.rows("communities", place, ["level", "community", "size"])
    fine = rows["level"].to_numpy() == 0
    return at[fine], rows.filter(pa.array(fine))
