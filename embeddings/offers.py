"""How offers and channels were answered: smoothed acceptance, overall and by segment."""

from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pyarrow as pa

from embeddings.catalogue import Catalogue
from embeddings.offer_facts import expected, no_weights, read_facts
from embeddings.popularity import Segments
from lake.tables import Lake

STRENGTH = 20.0
"""Showings that the mean over all offers counts for in the estimate of one; a segment leans on its offer as much."""
UNSEEN = 0.05
"""Acceptance assumed while nothing was ever shown."""


def acceptance(accepted: np.ndarray, shown: np.ndarray, prior: np.ndarray | float) -> np.ndarray:
    """(accepted + w · prior) / (shown + w), w = `STRENGTH`: the prior where nothing was shown.

    >>> acceptance(np.array([0, 10]), np.array([0, 20]), 0.1).tolist()
    [0.1, 0.3]
    """
    return (accepted + STRENGTH * prior) / (shown + STRENGTH)


def counted(
    offer: np.ndarray, segment: np.ndarray, accepted: np.ndarray, offers: int, segments: int
) -> tuple[np.ndarray, np.ndarray]:
    """Showings and acceptances, each int64 (segments + 1, offers); the last row is everybody."""
    found = []
    for mask in (np.ones(len(offer), bool), accepted):
        everybody = np.bincount(offer[mask], minlength=offers)
        inside = mask & (segment >= 0)
        cells = np.bincount(segment[inside].astype(np.int64) * offers + offer[inside], minlength=segments * offers)
        found.append(np.vstack([cells.reshape(segments, offers), everybody]))
    return found[0], found[1]


def smoothed(shown: np.ndarray, accepted: np.ndarray) -> np.ndarray:
    """Acceptance (segments + 1, offers) of what `counted` gives: a segment leans on its offer, an offer on all."""
    general = acceptance(accepted[-1].sum(), shown[-1].sum(), UNSEEN)
    overall = acceptance(accepted[-1], shown[-1], general)
    return np.vstack([acceptance(accepted[:-1], shown[:-1], overall), overall])


def read_answers(lake: Lake, before: dt.date | None = None) -> ibis.Table | None:
    """`(user, offer, channel, accepted, refused, at, position, probability)`, one row a showing, of feed and API, all
    or only those `before` a day; None where nobody was ever asked.

    A row of any outcome is one showing, unless it names a decision for which a `shown` row of the same offer exists.
    `position` and `probability` (of having been shown) are null where nobody recorded them.
    """
    columns = ["user", "offer", "channel", "at", "outcome", "decision"]
    kinds = {"position": "int64", "probability": "float64"}
    tables = []
    for name in ("responses", "answers"):
        if lake.has(name):
            rows = lake.scan(name)
            rows = rows.filter(rows.kind == "offer").mutate(offer=rows.item) if name == "answers" else rows
            more = {c: rows[c].cast(t) if c in rows.columns else ibis.null(t) for c, t in kinds.items()}
            tables.append(rows.select(*columns, **more))
    if not tables:
        return None
    both = ibis.union(*tables) if len(tables) > 1 else tables[0]
    if before is not None:
        both = both.filter(both.at < ibis.literal(before).cast("timestamp"))
    said = {
        "accepted": (ibis._.outcome == "accepted").any(),
        "refused": (ibis._.outcome == "refused").any(),
        "position": ibis._.position.min(),
        "probability": ibis._.probability.min(),
    }
    # What the API recorded may have come back in the feed: the same answer at the same moment is one.
    same = both.group_by(columns).aggregate(position=ibis._.position.min(), probability=ibis._.probability.min())
    # One decision shown and then answered is one showing: its best-known outcome counts.
    named = same.filter(same.decision.notnull()).group_by(["user", "offer", "channel", "decision"])
    once = named.aggregate(**said, at=ibis._.at.min()).drop("decision")
    loose = same.filter(same.decision.isnull())
    loose = loose.mutate(accepted=loose.outcome == "accepted", refused=loose.outcome == "refused")
    order = ["user", "offer", "channel", "accepted", "refused", "at", "position", "probability"]
    return once.select(*order).union(loose.select(*order))


def offer_tables(
    lake: Lake, nodes: Catalogue, segments: Segments, facts: pa.Table | None = None
) -> dict[str, pa.Table]:
    """Tables `offers` (every offer) and `offer_segments` (offers by segment, where shown there) of the snapshot, and
    `offer_facts`: the weights of `facts`, by which the acceptance of offers that were never shown is told."""
    offers = (
        lake.scan("offers").select("offer", "product").order_by("offer").to_pyarrow()
        if lake.has("offers")
        else pa.table({"offer": pa.array([], pa.string()), "product": pa.array([], pa.string())})
    )
    names, count, s = offers["offer"], offers.num_rows, len(segments.names)
    shown = accepted = np.zeros((s + 1, count), np.int64)
    answers = read_answers(lake)
    if answers is not None and count:
        index = ibis.memtable(pa.table({"offer": names, "offer_at": np.arange(count, dtype=np.int32)}))
        rows = answers.inner_join(index, "offer").left_join(nodes.index("user"), "user")
        table = rows.select("offer_at", "user_at", "accepted").to_pyarrow()
        at, user = table["offer_at"].to_numpy(), table["user_at"].fill_null(-1).to_numpy()
        yes = table["accepted"].to_numpy(zero_copy_only=False).astype(bool)
        shown, accepted = counted(at, np.append(segments.of, -1)[user], yes, count, s)
    overall = smoothed(shown, accepted)[s]
    facts = no_weights() if facts is None else facts
    if len(facts):
        told = expected(facts, read_facts(lake, names.combine_chunks()), count, segments.names)[s]
        overall = np.where(shown[s] == 0, told, overall)
    offer, segment = np.nonzero(shown[:s].T)
    n, yes = shown[segment, offer], accepted[segment, offer]
    return {
        "offers": pa.table(
            {
                "offer": names,
                "product": offers["product"],
                "acceptance": overall,
                "shown": shown[s],
                "accepted": accepted[s],
            }
        ),
        "offer_segments": pa.table(
            {
                "offer": names.take(pa.array(offer)),
                "segment": segments.names.take(pa.array(segment)),
                "acceptance": acceptance(yes, n, overall[offer]),
                "shown": n,
                "accepted": yes,
            }
        ),
        "offer_facts": facts,
    }


def channel_table(lake: Lake) -> pa.Table:
    """`(channel, acceptance, shown, accepted)` of each channel that ever showed something."""
    answers = read_answers(lake)
    if answers is None:
        kinds = {"channel": pa.string(), "acceptance": pa.float64(), "shown": pa.int64(), "accepted": pa.int64()}
        return pa.schema(list(kinds.items())).empty_table()
    each = answers.group_by("channel").aggregate(shown=ibis._.count(), accepted=ibis._.accepted.sum())
    table = each.filter(each.channel.notnull()).order_by("channel").to_pyarrow()
    shown, accepted = table["shown"].to_numpy(), table["accepted"].to_numpy()
    general = acceptance(accepted.sum(), shown.sum(), UNSEEN)
    rates = acceptance(accepted, shown, float(general))
    return pa.table({"channel": table["channel"], "acceptance": rates, "shown": shown, "accepted": accepted})
