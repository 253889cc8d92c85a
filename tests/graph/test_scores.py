"""What analysis found, onto customers and between them: churn with its reasons, scores by model, places, SAME_AS."""

from __future__ import annotations

import uuid

import pyarrow as pa
import pytest

from graph.load import load_graph, write_scores
from graph.store import Store
from lake.settings import Settings
from lake.tables import Lake

REASONS = pa.list_(pa.struct([("feature", pa.string()), ("contribution", pa.float64()), ("words", pa.string())]))


def text(number: int) -> str:
    return str(uuid.UUID(int=number))


def user(number: int) -> bytes:
    return number.to_bytes(16, "big")


@pytest.fixture
def found(operator: Lake) -> Lake:
    """Customer 1 may leave, customer 2 left earlier and may have come back as 3 or, less surely, as 1."""
    operator.write(
        "churn",
        pa.table(
            {
                "user": [user(1), user(2)],
                "period": ["2026-06", "2026-05"],
                "probability": pa.array([0.25, None], pa.float64()),
                "decile": pa.array([1, None], pa.int64()),
                "stage": ["circle", "left"],
                "reasons": pa.array(
                    [[("kept", 0.5, "speaks with 2 people"), ("fee", 1e-7, "the bill: 9")], []], REASONS
                ),
            }
        ),
    )
    models = ["fake", "data_pack", "data_pack", "data_pack"]
    operator.write(
        "scores",
        pa.table(
            {
                "user": [user(n) for n in (1, 1, 1, 2)],
                "model": models,
                "period": ["2026-06", "2026-05", "2026-06", "2026-06"],
                "probability": [0.5, 0.1, 0.2, 0.3],
                "decile": [1, 10, 2, 1],
                "reasons": pa.array([[("kept", 0.5, "hardly calls")], [], [], []], REASONS),
            }
        ),
    )
    operator.write("places", pa.table({"user": [user(1)], "work_cell": ["c1"], "rest_cell": pa.array([None], "str")}))
    operator.write(
        "returning",
        pa.table(
            {
                "user": [user(2), user(2)],
                "candidate": [user(3), user(1)],
                "score": [0.8, 0.79],
                "shared_contacts": [3, 1],
                "rank": [1, 2],
            }
        ),
    )
    return operator


def test_churn_and_scores_onto_customers(found: Lake, neo4j_store: Store, settings: Settings) -> None:
    load_graph(found, neo4j_store, settings)
    assert write_scores(found, neo4j_store)
    rows = neo4j_store.read("MATCH (u:User) RETURN u.user AS user, properties(u) AS facts")
    facts = {
        row["user"]: {k: v for k, v in row["facts"].items() if k.split("_")[0] in ("churn", "scores")} for row in rows
    }
    assert facts == {
        text(1): {
            "churn_period": "2026-06", "churn_probability": 0.25, "churn_decile": 1, "churn_stage": "circle",
            "churn_reasons_feature": ["kept", "fee"], "churn_reasons_contribution": [0.5, 1e-7],
            "churn_reasons_words": ["speaks with 2 people", "the bill: 9"],
            "scores_data_pack": 0.2, "scores_data_pack_decile": 2, "scores_fake": 0.5, "scores_fake_decile": 1,
            "scores_fake_reasons": ["hardly calls"],
        },
        text(2): {
            "churn_period": "2026-05", "churn_stage": "left", "scores_data_pack": 0.3, "scores_data_pack_decile": 1,
        },
        text(3): {},
    }  # fmt: skip
    assert not write_scores(found, neo4j_store)
    found.write("scores", found.read("scores").slice(0, 0))
    write_scores(found, neo4j_store)
    assert neo4j_store.read("MATCH (u:User) WHERE u.scores_fake_decile > 0 RETURN u") == []


def test_sure_pairs_are_the_same_and_places_lead_to_cells(found: Lake, neo4j_store: Store, settings: Settings) -> None:
    counts = load_graph(found, neo4j_store, settings)
    assert (counts["edges"]["SAME_AS"], counts["edges"]["WORKS_NEAR"], counts["edges"]["RESTS_NEAR"]) == (1, 1, 0)
    assert neo4j_store.read("MATCH (a)-[r:SAME_AS]->(b) RETURN a.user AS a, b.user AS b, r.score AS score") == [
        {"a": text(2), "b": text(3), "score": 0.8}
    ]
    found.write("returning", found.read("returning").slice(1))
    assert load_graph(found, neo4j_store, settings)["parts"] == ["same_as"]
    assert neo4j_store.read("MATCH ()-[r:SAME_AS]->() RETURN r") == []
