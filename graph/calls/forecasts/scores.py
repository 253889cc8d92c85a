"""`scores.parquet`: handset change, data-pack order, suppressed demand and fake users, a row a customer and model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graph.calls.forecasts import fake, reasons, suppressed
from graph.calls.forecasts.forecast import TOLD, deciles, explained, feature_names, foresee, learn
from graph.calls.forecasts.history import History
from graph.calls.forecasts.labels import DATA_PACK, HANDSET_CHANGE, Label
from graph.calls.forecasts.reports import keep
from graph.calls.forecasts.split import columns
from graph.calls.lifetimes import Customers
from graph.calls.state import Inputs, digest, writing
from lake.tables import Lake

SCHEMA = pa.schema(
    [
        ("user", pa.binary()),
        ("model", pa.string()),
        ("period", pa.string()),
        ("probability", pa.float64()),
        ("decile", pa.int64()),
        ("reasons", reasons.TYPE),
    ]
)
MONTHS = 4
VERSION = 1


def build(lake: Lake, customers: Customers, inputs: Inputs) -> bool:
    """Write `scores.parquet`, sorted by model and user; false where its inputs did not change. The caller saves
    `inputs`.

    Rows are customers of the own network who were there at the end of the last period that is over, and of whom the
    model can say something; a model without enough history has none, and the report says what is missing.
    """
    history = History(lake, customers)
    reads = ("features", "subscriptions", "products", "user_handsets", "customers")
    print_ = digest(history.left.tobytes(), [lake.facts(name) for name in reads], VERSION)
    if inputs.get("scores", "all") == print_ and lake.has("scores"):
        return False
    facts: dict[str, Any] = {}
    with writing(lake.root / "scores.parquet", SCHEMA) as writer:
        for model, make in MODELS.items():
            for table in make(history, model, facts):
                writer.write(table)
    keep(lake, "scores", facts)
    inputs.put("scores", "all", print_)
    return True


def _rows(history: History, model: str, at: np.ndarray, p: np.ndarray, decile: np.ndarray, why: pa.Array) -> pa.Table:
    same = pa.array(np.zeros(len(at), np.int64))
    return pa.table(
        {
            "user": history.customers.users.take(pa.array(at)),
            "model": pa.array([model]).take(same),
            "period": pa.array([history.periods[history.last]]).take(same),
            "probability": p,
            "decile": decile,
            "reasons": why,
        },
        schema=SCHEMA,
    )


def _learnt(label: Label, history: History, name: str, facts: dict[str, Any]) -> Iterator[pa.Table]:
    names = feature_names(history)
    model, facts[name] = learn(history, label, names)
    if model is None:
        return
    at, values = foresee(history, model, names)
    p, decile = np.full(history.n, np.nan), np.full(history.n, 11)
    p[at], decile[at] = values, deciles(values)
    for some, why in explained(history, model, names, decile):
        yield _rows(history, name, some, p[some], decile[some], why)


def handset_change(history: History, name: str, facts: dict[str, Any]) -> Iterator[pa.Table]:
    """Takes another handset in the next period."""
    return _learnt(HANDSET_CHANGE, history, name, facts)


def data_pack(history: History, name: str, facts: dict[str, Any]) -> Iterator[pa.Table]:
    """Orders a data pack in the next period."""
    return _learnt(DATA_PACK, history, name, facts)


def suppressed_demand(history: History, name: str, facts: dict[str, Any]) -> Iterator[pa.Table]:
    """Would use more data on an open plan."""
    last = history.last
    months = [columns(history, place, list(suppressed.READS)) for place in range(last, max(-1, last - MONTHS), -1)]
    p, many, seen, wanted = suppressed.suppressed(months)
    rows = np.flatnonzero(~np.isnan(p) & history.staying())
    facts[name] = {"rows": len(rows), "near_the_limit": int((p[rows] > 0).sum())}
    if not len(rows):
        facts[name]["off"] = "no customer is known to use the data of a plan that has a limit"
        return
    share_used = months[0]["mb"] / months[0]["plan_mb"]
    decile = deciles(np.where(p > 0, 1 + p, np.clip(share_used, 0, 1))[rows])
    told = (decile <= TOLD) & (p[rows] > 0)
    facts_told = zip(*(column[rows][told].tolist() for column in (share_used, many, seen, wanted)), strict=True)
    sentences = [
        f"used {used:.0%} of the plan's data, near the limit in {count} of {known} periods; "
        f"customers like this one want {mb:.0f} MB"
        for used, count, known, mb in facts_told
    ]
    feature = pa.array(["plan's limit"]).take(pa.array(np.zeros(len(sentences), np.int64)))
    gap = np.maximum(np.log(wanted[rows][told] / months[0]["mb"][rows][told]), 0)
    yield _rows(history, name, rows, p[rows], decile, reasons.as_lists(told.astype(int), feature, gap, sentences))


def fake_users(history: History, name: str, facts: dict[str, Any]) -> Iterator[pa.Table]:
    """An account of an agent or in a SIM box."""
    p, parts = fake.fake(columns(history, history.last, list(fake.READS)), _batch(history))
    rows = np.flatnonzero(~np.isnan(p) & history.staying())
    facts[name] = {"rows": len(rows), "surer_than_half": int((p[rows] > 0.5).sum())}
    if not len(rows):
        facts[name]["off"] = "fewer than 100 customers have calls: nobody can be told from the others"
        return
    score = parts[rows].sum(axis=1)
    decile = deciles(score)
    told = decile == 1
    best = np.argsort(-parts[rows][told], axis=1, kind="stable")[:, : reasons.MOST]
    names = list(fake.SIGNS)
    feature = pa.array(names).take(pa.array(best.ravel()))
    value = np.take_along_axis(parts[rows][told], best, axis=1).ravel()
    words = [fake.SIGNS[names[i]] for i in best.ravel().tolist()]
    why = reasons.as_lists(np.where(told, best.shape[1], 0), feature, value, words)
    yield _rows(history, name, rows, p[rows], decile, why)


MODELS = {
    "data_pack": data_pack,
    "fake": fake_users,
    "handset_change": handset_change,
    "suppressed": suppressed_demand,
}


def _batch(history: History) -> np.ndarray:
    """(n,) how many customers were activated on the same day; nan where the day is not known."""
    activated = history.lake.read("customers", ["activated_on"])["activated_on"]
    known = activated.is_valid().to_numpy() & history.customers.on_net
    days = pc.cast(activated, pa.int32()).fill_null(0).to_numpy()
    _, of, many = np.unique(days[known], return_inverse=True, return_counts=True)
    found = np.full(history.n, np.nan)
    found[known] = many[of]
    return found
