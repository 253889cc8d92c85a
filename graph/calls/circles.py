"""Circles: what each customer's contacts are in each period, and how they changed.

One row a customer and period they are followed in (`graph.calls.lifetimes`), silent ones too. A period is made from
its own contacts and those of up to three before; periods whose contacts and customers did not change are
taken over from the table as it stands.
"""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from graph.calls import ties
from graph.calls.chance import calibrated
from graph.calls.circle_kernels import measure
from graph.calls.habits import EARLIER, habits
from graph.calls.ids import as_words
from graph.calls.lifetimes import Customers
from graph.calls.rarefaction import expected_sizes
from graph.calls.shrinking import discoveries, fall, groups, p_values
from graph.calls.state import Inputs, digest, writing
from graph.calls.ties import Ties
from lake.progress import track
from lake.tables import Lake

SCHEMA = pa.schema(
    [("user", pa.binary()), ("period", pa.string())]
    + [(name, pa.int64()) for name in ("contacts", "reciprocal", "new", "lost", "kept")]
    + [
        (name, pa.float64())
        for name in ("jaccard", "entropy", "strength_lost", "against_self", "against_peers", "expected", "p_value")
    ]
    + [("shrinking", pa.bool_())]
)

VERSION = 2
"""Of what is computed: where it changes, periods are made anew."""


def build(lake: Lake, customers: Customers, inputs: Inputs) -> list[str]:
    """Write `circles.parquet`, sorted by period and user; returns the periods that were computed.

    The caller saves `inputs` afterwards.
    """
    path = lake.root / "circles.parquet"
    prints = _fingerprints(lake, customers)
    stale = [p for p, print_ in prints.items() if inputs.get("circles", p) != print_ or not path.exists()]
    if not stale and inputs.keys("circles") == sorted(prints):
        return []
    near: OrderedDict[str, Ties] = OrderedDict()
    steps = track(customers.periods, "circles")
    with writing(path, SCHEMA) as writer:
        for place, period in enumerate(steps):
            if period not in stale:
                writer.write(pq.read_table(path, filters=[("period", "==", period)]))
                continue
            window = customers.periods[max(0, place - EARLIER) : place + 1]
            for wanted in window:
                if wanted not in near:
                    near[wanted] = ties.load(lake, wanted, customers.positions, customers.on_net)
            for old in [name for name in near if name not in window]:
                del near[old]
            writer.write(circles(customers, place, [near[name] for name in reversed(window)]))
    inputs.forget("circles")
    for period, print_ in prints.items():
        inputs.put("circles", period, print_)
    return stale


def _fingerprints(lake: Lake, customers: Customers) -> dict[str, str]:
    words = as_words(customers.users)
    facts = [lake.facts("contacts", period) for period in customers.periods]
    found = {}
    for place, period in enumerate(customers.periods):
        rows = np.flatnonzero(customers.listed(place))
        history = customers.history(place, EARLIER)[rows]
        found[period] = digest(
            VERSION, words[rows].tobytes(), history.tobytes(), facts[max(0, place - EARLIER) : place + 1]
        )
    return found


def circles(customers: Customers, place: int, window: list[Ties]) -> pa.Table:
    """Rows of one period, sorted by user. `window`: this period's ties, then the periods before it, latest first."""
    now, earlier = window[0], window[1:]
    n = len(customers.users)
    rows = np.flatnonzero(customers.listed(place))
    history = np.minimum(customers.history(place, EARLIER), len(earlier))
    old = earlier[0] if earlier else ties.empty(n)
    reciprocal, kept, weight, entropy, lost_weight = measure(
        now.starts, now.contact, now.out, now.in_, old.starts, old.contact, old.out + old.in_
    )
    compared = (history > 0)[rows]
    size, old_size = now.sizes[rows], old.sizes[rows]
    kept, weight = kept[rows], weight[rows]
    old_weight = _row_sums(old)[rows]
    against_self = _ratio(size, _mean_size(earlier, history, n)[rows])
    network = _network_ratio(size, _mean_size(earlier, history, n)[rows])
    past = habits(now, earlier, np.where(customers.listed(place), history, 0))
    calls = _row_sums(now)
    expected = expected_sizes(calls, past.starts, past.calls)[rows]
    against_peers = against_self / network
    far = fall(past, calls)
    p = calibrated(p_values(past, _seeds(customers, place)), far <= 0)[rows]
    p[(against_self >= 1) | (against_peers >= 1)] = 1.0  # not smaller, whoever is in it
    shrinking = discoveries(p, groups(far[rows]))
    columns = {
        "contacts": pa.array(size),
        "reciprocal": pa.array(reciprocal[rows]),
        "new": _unless(size - kept, compared),
        "lost": _unless(old_size - kept, compared),
        "kept": _unless(kept, compared),
        "jaccard": _unless(_ratio(kept, size + old_size - kept), compared),
        "entropy": _unless(entropy[rows], np.ones(len(rows), bool)),
        "strength_lost": _unless(_ratio(lost_weight[rows], old_weight), compared),
        "against_self": _unless(against_self, compared),
        "against_peers": _unless(against_peers, compared),
        "expected": _unless(expected, compared),
        "p_value": _unless(p, compared),
        "shrinking": _unless(shrinking, compared),
    }
    period = pa.array([customers.periods[place]]).take(pa.array(np.zeros(len(rows), np.int64)))
    return pa.table({"user": customers.users.take(pa.array(rows)), "period": period, **columns}, schema=SCHEMA)


def _seeds(customers: Customers, place: int) -> np.ndarray:
    """(n,) uint64: a customer's own, whoever else there is."""
    words = as_words(customers.users)
    return words[:, 0] ^ words[:, 1] ^ np.uint64(int(digest(customers.periods[place]), 16))


def _row_sums(one: Ties) -> np.ndarray:
    """(n,) int64: calls and messages of each customer."""
    added = np.concatenate([[0], np.cumsum(one.out + one.in_, dtype=np.int64)])
    return added[one.starts[1:]] - added[one.starts[:-1]]


def _mean_size(earlier: list[Ties], history: np.ndarray, n: int) -> np.ndarray:
    total = np.zeros(n)
    for back, one in enumerate(earlier):
        total += np.where(back < history, one.sizes, 0)
    return _ratio(total, history)


def _network_ratio(size: np.ndarray, own_mean: np.ndarray) -> float:
    """This period's circles over their own means, for the network as a whole; nan where nobody has a past."""
    past = own_mean > 0
    return float(size[past].sum() / own_mean[past].sum()) if size[past].sum() else float("nan")


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(above, below, out=np.full(len(above), np.nan), where=np.asarray(below) > 0)


def _unless(values: np.ndarray, shown: np.ndarray) -> pa.Array:
    """Null where not shown or not defined."""
    hidden = ~shown | (np.isnan(values) if values.dtype.kind == "f" else False)
    return pa.array(values, mask=hidden)
