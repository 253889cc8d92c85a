"""Who leaves: order, lift and calibration on the sample operator, beside plainer ways, and on a real table.

    python -m benchmarks.churn [--users 20000 --months 6 --seed 1] [--telco Telco-Customer-Churn.csv]

On the sample the model is tested as `analyse` tests it, on the latest period whose answers are known, and on the
periods beyond the feeds, which the truth alone knows. Beside it, on the same rows: the p-value of shrinking circles,
the circle against peers, the fall of days in use and of calls, and the same trees without anything from call records,
with nothing else, and without who of the contacts left. Fake users and suppressed demand are held against what was
planted. What cannot be measured is null: where only one answer occurs, or too few months are there to learn from and
to test on. The real table (7,043 customers, one day, no time) is parted at random by customer: published models reach
an AUC of about .84. Prints one line of JSON.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.sample_lake import arguments, loaded
from graph.calls import lifetimes
from graph.calls.analyse import analyse
from graph.calls.forecasts import contact_features, movement
from graph.calls.forecasts.forecast import feature_names
from graph.calls.forecasts.history import History
from graph.calls.forecasts.labels import CHURN
from graph.calls.forecasts.model import fit
from graph.calls.forecasts.report import TOPS, report
from graph.calls.forecasts.split import FOLDS, learnt, sample
from lake.clock import today
from lake.home import Home
from lake.tables import Lake

CALL_PARTS = (contact_features.features, movement.features)
NEIGHBOURS = ("contacts_left_", "community_left_")


def short(y: np.ndarray, p: np.ndarray) -> dict[str, Any]:
    """The facts of a report that fit one line; null where there is no row, or only one answer."""
    facts = report(y, p)
    found = {name: facts.get(name) for name in ("rows", "positives", "auc", "auc_low", "auc_high")}
    lifts = {name: facts["top"][name]["lift"] if "top" in facts else None for name in map("{:.0%}".format, TOPS)}
    return found | {f"lift_{name}": lift for name, lift in lifts.items()} | {"ece": facts.get("ece")}


def ordered(y: np.ndarray, score: np.ndarray) -> dict[str, Any]:
    """As `short` of a score that is no probability; what is not known comes last."""
    found = short(y, np.nan_to_num(score, nan=np.nanmin(score, initial=np.inf)))
    del found["ece"]
    return found


def on_sample(folder: Path, users: int, months: int, seed: int) -> dict[str, Any]:
    feeds, home, settings, lake = loaded(folder, users, months, seed)
    facts = analyse(lake, settings)
    history = History(lake, lifetimes.read(lake, settings.period, today(settings, lake)))
    return {
        "test": facts["reports"]["churn"].get("test"),
        "beside": _beside(history),
        **_against_truth(lake, home, feeds / "truth"),
        "seconds": {name: facts["seconds"][name] for name in ("movement", "features", "churn", "scores")},
    }


def _beside(history: History) -> dict[str, Any]:
    """Plainer ways on the rows of the test."""
    names = feature_names(history)
    test = max(0, len(history.periods) - 1 - CHURN.horizon)
    past = sample(history, CHURN, learnt(test, CHURN.horizon), names)
    known = sample(history, CHURN, range(test, test + 1), names)
    column = {name: known.X[:, i] for i, name in enumerate(names)}
    calls = {name for part in CALL_PARTS for name in part(history, test)}
    without = {
        "all": names,
        "no_neighbours": [name for name in names if not name.startswith(NEIGHBOURS)],
        "no_calls": [name for name in names if name not in calls],
        "calls_only": [name for name in names if name in calls],
    }
    found = {
        "shrinking_p_value": ordered(known.y, -column["p_value"]),
        "circle_against_peers": ordered(known.y, -column["against_peers"]),
        "days_on": ordered(known.y, -column["days_on_change"]),
        "silence": ordered(known.y, -column["events_change"]),
    }
    if not 0 < past.y.sum() < len(past.y):  # nothing to learn from
        return found | {f"trees_{name}": None for name in without}
    for name, kept in without.items():
        places = [names.index(one) for one in kept]
        model = fit(past.X[:, places], past.y, past.fold, past.place == past.place.max())
        found[f"trees_{name}"] = short(known.y, model.predict(known.X[:, places]))
    return found


def _against_truth(lake: Lake, home: Home, truth: Path) -> dict[str, Any]:
    """The tables against what was planted."""

    def planted(name: str) -> pl.DataFrame:
        rows = pl.read_csv(truth / f"{name}.csv", infer_schema=False)
        users = pl.from_arrow(home.pseudonyms().of_numbers(rows["number"].to_arrow()))
        return rows.with_columns(user=users).unique("user")  # type: ignore[arg-type]

    churn, scores = (pl.from_arrow(lake.read(name)) for name in ("churn", "scores"))
    assert isinstance(churn, pl.DataFrame)
    assert isinstance(scores, pl.DataFrame)
    last = churn["period"][0]
    here = churn.filter(pl.col("stage") != "left").join(
        planted("leavers").filter(pl.col("month") > last).select("user", "month", "sign_months"), on="user", how="left"
    )
    leaves = pl.col("month").is_not_null()
    found: dict[str, Any] = {"stages": {}}
    for stage, many, share in here.group_by("stage").agg(pl.len(), leaves.mean()).sort("stage").iter_rows():
        found["stages"][stage] = {"customers": many, "leave": round(share, 4)}
    if here["probability"].is_not_null().any():
        p, y = here["probability"].to_numpy(), here.select(leaves).to_series().to_numpy()
        found["beyond_the_feeds"] = short(y, p)
        sign = (here["sign_months"].cast(pl.Int64).fill_null(0) > 0).to_numpy()
        found["beyond_the_feeds_with_sign"] = short(y[~y | sign], p[~y | sign])
    for model, name in (("fake", "fakes"), ("suppressed", "suppressed")):
        rows = scores.filter(pl.col("model") == model)
        if rows.height:
            y = rows["user"].is_in(planted(name)["user"].to_list()).to_numpy()
            found[model] = short(y, rows["probability"].to_numpy())
    return found


def on_telco(path: Path, repeats: int = 5) -> dict[str, Any]:
    """Ten-fold, `repeats` times: trained and calibrated on nine tenths, reported on all the tenths together."""
    rows = pl.read_csv(path, null_values=[" ", ""])
    y = (rows["Churn"] == "Yes").to_numpy()
    columns = []
    for name in rows.columns:
        if name in ("customerID", "Churn"):
            continue
        column = rows[name]
        if column.dtype == pl.String:
            kinds = sorted(set(column.drop_nulls().to_list()))
            columns += [
                (column == kind).cast(pl.Float32).to_numpy() for kind in (kinds if len(kinds) > 2 else kinds[:1])
            ]
        else:
            columns.append(column.cast(pl.Float32).fill_null(np.nan).to_numpy())
    X = np.column_stack(columns).astype(np.float32)
    found = []
    for repeat in range(repeats):
        rng = np.random.default_rng(repeat)
        tenth, fold = rng.integers(0, 10, len(y)), rng.integers(0, FOLDS, len(y))
        p = np.empty(len(y))
        for one in range(10):
            train = tenth != one
            p[~train] = fit(X[train], y[train], fold[train], np.ones(train.sum(), bool)).predict(X[~train])
        found.append(short(y, p))
    return {name: round(float(np.mean([one[name] for one in found])), 4) for name in found[0]} | {"published_auc": 0.84}


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--telco", type=Path)
    options = vars(parser.parse_args())
    telco = options.pop("telco")
    with tempfile.TemporaryDirectory() as folder:
        found = {"benchmark": "churn", **options, "sample": on_sample(Path(folder), **options)}
    if telco:
        found["telco"] = on_telco(telco)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
