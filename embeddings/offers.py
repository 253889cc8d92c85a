"""How offers and channels were answered: smoothed acceptance, overall and by segment."""

from __future__ import annotations

import ibis
import numpy as np
import pyarrow as pa

from embeddings.catalogue import Catalogue
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


def read_answers(lake: Lake) -> ibis.Table | None:
    """`(user, offer, channel, shown, accepted)`, one row an answer of feed or API; None where nobody was ever asked.

    A row of any outcome is one showing, unless it names a decision for which a `shown` row of the same offer exists.
    """
    columns = ["user", "offer", "channel", "at", "outcome", "decision"]
    tables = []
    if lake.has("responses"):
        tables.append(lake.scan("responses").select(*columns))
    if lake.has("answers"):
        answers = lake.scan("answers")
        tables.append(answers.filter(answers.kind == "offer").mutate(offer=answers.item).select(*columns))
    if not tables:
        return None
    # What the API recorded may have come back in the feed: the same answer at the same moment is one.
    both = ibis.union(*tables, distinct=True) if len(tables) > 1 else tables[0]
    # One decision shown and then answered is one showing: its best-known outcome counts.
    named = both.filter(both.decision.notnull()).group_by(["user", "offer", "channel", "decision"])
    once = named.aggregate(accepted=(ibis._.outcome == "accepted").any()).drop("decision")
    loose = both.filter(both.decision.isnull())
    loose = loose.select("user", "offer", "channel", accepted=loose.outcome == "accepted")
    return once.union(loose)


def offer_tables(lake: Lake, nodes: Catalogue, segments: Segments) -> dict[str, pa.Table]:
    """Tables `offers` (every offer) and `offer_segments` (offers by segment, where shown there) of the snapshot."""
    offers = (
        lake.scan("offers").select("offer", "product").order_by("offer").to_pyarrow()
        if lake.has("offers")
        else pa.table({"offer": pa.array([], pa.string()), "product": pa.array([], pa.string())})
    )
    names, count, s = offers["offer"], offers.num_rows, len(segments.names)
    shown, accepted = np.zeros((s + 1, count), np.int64), np.zeros((s + 1, count), np.int64)  # the last row is all
    answers = read_answers(lake)
    if answers is not None and count:
        index = ibis.memtable(pa.table({"offer": names, "offer_at": np.arange(count, dtype=np.int32)}))
        rows = answers.inner_join(index, "offer").left_join(nodes.index("user"), "user")
        table = rows.select("offer_at", "user_at", "accepted").to_pyarrow()
        at, user = table["offer_at"].to_numpy(), table["user_at"].fill_null(-1).to_numpy()
        segment = np.where(user >= 0, segments.of[user], -1) if len(segments.of) else np.full(len(user), -1)
        yes = table["accepted"].to_numpy(zero_copy_only=False).astype(bool)
        for target, mask in ((shown, np.ones(len(at), bool)), (accepted, yes)):
            np.add.at(target, (s, at[mask]), 1)
            inside = mask & (segment >= 0)
            np.add.at(target, (segment[inside], at[inside]), 1)
    general = float(acceptance(accepted[s].sum(), shown[s].sum(), UNSEEN))
    overall = acceptance(accepted[s], shown[s], general)
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
