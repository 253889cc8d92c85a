"""From a feed folder to decisions, through the commands alone."""

from __future__ import annotations

import csv
import uuid
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from lake.tables import Lake

pytestmark = pytest.mark.usefixtures("operator")


def test_run_takes_every_row_of_the_sample(dumbbell: Any, feeds: Path, operator: Path) -> None:
    found = dumbbell("check", feeds, "--json", home=operator)
    assert found.status == 0, found
    counts = found.json["feeds"]
    assert len(counts) == 18
    assert all(feed["quarantined"] == 0 for feed in counts.values())


def test_run_again_changes_nothing(dumbbell: Any, feeds: Path, operator: Path, wiped: Any) -> None:
    def picture() -> tuple[Any, Any]:
        files = {str(p): p.read_bytes() for p in sorted((operator / "lake").rglob("*.parquet"))}
        rows = wiped.read("MATCH (n) RETURN labels(n)[0] AS label, count(*) AS n ORDER BY label")
        edges = wiped.read("MATCH ()-[r]->() RETURN type(r) AS type, count(*) AS n ORDER BY type")
        return files, (rows, edges)

    before = picture()
    snapshot = (operator / "snapshots" / "current").read_text()
    again = dumbbell("run", feeds, "--json", home=operator)
    assert again.status == 0, again
    assert picture() == before
    assert (operator / "snapshots" / "current").read_text() == snapshot


def test_embedding_beats_popularity_on_held_out_use(dumbbell: Any, operator: Path) -> None:
    found = dumbbell("embed", "--json", home=operator).json
    served, popularity = found["table"][found["served"]], found["table"]["popularity"]
    assert served["recall@20"] > popularity["recall@20"]
    assert served["ndcg@20"] > popularity["ndcg@20"]


@pytest.mark.parametrize("kind", ["app", "offer"])
def test_match_writes_what_the_interface_promises(dumbbell: Any, operator: Path, tmp_path: Path, kind: str) -> None:
    out = tmp_path / "matches.parquet"
    done = dumbbell("match", "--kind", kind, "--k", 3, "--out", out, "--json", home=operator)
    assert done.status == 0, done
    table = pq.read_table(out)
    assert table.column_names == ["user", "kind", "item", "rank", "score", "channel", "reason"]
    assert table.num_rows > 0
    assert set(table["kind"].to_pylist()) == {kind}
    assert pc.max(table["rank"]).as_py() <= 3
    assert pc.all(pc.greater(pc.utf8_length(table["reason"]), 0)).as_py()
    customers = Lake(operator / "lake").read("customers", ["user", "consent", "off_net"])
    without = set(customers.filter(pc.invert(customers["consent"]))["user"].to_pylist())
    assert without
    assert not without & set(table["user"].to_pylist())


def test_match_for_the_users_named(dumbbell: Any, operator: Path, tmp_path: Path) -> None:
    customers = Lake(operator / "lake").read("customers", ["user", "consent", "off_net", "status"]).to_pylist()
    user = next(c["user"] for c in customers if c["consent"] and not c["off_net"] and c["status"] == "active")
    named = tmp_path / "users.txt"
    named.write_text(f"{uuid.UUID(bytes=user)}\n")
    out = tmp_path / "matches.parquet"
    done = dumbbell("match", "--kind", "app", "--k", 4, "--out", out, "--users", named, home=operator)
    assert done.status == 0, done
    assert set(pq.read_table(out)["user"].to_pylist()) == {user}


def test_k_beyond_the_catalogue_returns_what_there_is(dumbbell: Any, operator: Path, tmp_path: Path) -> None:
    out = tmp_path / "matches.parquet"
    assert dumbbell("match", "--kind", "offer", "--k", 100000, "--out", out, home=operator).status == 0
    offers = Lake(operator / "lake").read("offers").num_rows
    assert pc.max(pq.read_table(out)["rank"]).as_py() <= offers


def test_templates_answer(dumbbell: Any, operator: Path, tmp_path: Path) -> None:
    listed = dumbbell("template", "list", "--json", home=operator).json["items"]
    assert len(listed) >= 8
    out = tmp_path / "shrinking.csv"
    done = dumbbell("template", "run", "shrinking_circles", "--param", "limit=3", "--out", out, home=operator)
    assert done.status == 0, done
    assert out.exists()


def test_status_and_doctor(dumbbell: Any, operator: Path) -> None:
    status = dumbbell("status", "--json", home=operator)
    assert status.status == 0, status
    assert {"load", "analyse", "embed"} <= set(status.json["runs"])
    assert status.json["next"] == "dumbbell serve"
    doctor = dumbbell("doctor", "--json", home=operator)
    assert doctor.status == 0, doctor


def test_pseudonyms_agree_with_the_graph(dumbbell: Any, operator: Path, feeds: Path, wiped: Any) -> None:
    with open(feeds / "users.csv", newline="") as file:
        number = next(csv.DictReader(file))["number"]
    done = dumbbell("pseudonym", "--file", "-", home=operator, stdin=f"{number}\n{number.replace('-', ' ')}\n")
    assert done.status == 0
    first, second = done.out.split()
    assert first == second
    assert wiped.read("MATCH (u:User {user: $user}) RETURN count(u) AS n", user=first) == [{"n": 1}]
