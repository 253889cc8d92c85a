"""Tags, questions and answers in a real Neo4j."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest

from graph.load import load_graph
from graph.store import Store
from lake.tables import Lake


def visit(user: int, day: str, visits: int = 1, mb: float | None = None, **what: str) -> dict[str, Any]:
    return {
        "user": user, "day": day, "hour": 8, "visits": visits, "mb": mb,
        "first_at": f"{day}T08:00", "last_at": f"{day}T09:30", **what,
    }  # fmt: skip


RULES = [
    {"pattern": "chess.example", "app": "chess", "tag": "games"},
    {"pattern": "*.cup.example", "app": "cup", "tag": "sport", "content": "video"},
    {"pattern": "sport.example", "tag": "sport", "content": "sport"},
    {"pattern": "film.example", "content": "video"},
]
USE = [
    visit(1, "2026-05-30", 2, 0.1, app="chess", tag="games"),
    visit(1, "2026-06-01", 3, 0.2, app="chess", tag="games"),
    visit(1, "2026-06-01", 1, tag="sport", content="sport"),
    visit(2, "2026-06-02", 4, 1.5, app="cup", tag="sport", content="video"),
]
QUESTIONS = [
    {"question": "abroad", "answer": "yes", "text": "Often", "tags": ["travel", "sport"], "offer": "roam"},
    {"question": "abroad", "answer": "no", "text": "Never", "tags": []},
    {"question": "a/b", "answer": "no"},
]


@pytest.fixture
def tagged(fill, settings, neo4j_store: Store) -> Store:
    lake: Lake = fill(
        customers=[1, 2],
        apps=[{"app": "chess", "name": "Chess"}],
        app_usage=[{"user": 1, "app": "chess", "at": "2026-05-02T10:00", "sessions": 5, "seconds": 60, "mb": 1.0}],
        url_rules=RULES,
        web_use=USE,
        questions=QUESTIONS,
    )
    load_graph(lake, neo4j_store, settings)
    again = load_graph(lake, neo4j_store, settings)
    assert again["parts"] == []
    return neo4j_store


def found(store: Store, start: str, edge: str, end: str, *facts: str) -> set[tuple[Any, ...]]:
    columns = [f"a.{start.lower()}", f"b.{end.lower()}", *(f"r.{fact}" for fact in facts)]
    rows = store.read(f"MATCH (a:{start})-[r:{edge}]->(b:{end}) RETURN [{', '.join(columns)}] AS row")
    return {tuple(row["row"]) for row in rows}


def text(number: int) -> str:
    return str(uuid.UUID(int=number))


def test_tags_questions_and_answers(tagged: Store) -> None:
    tags = tagged.read("MATCH (t:Tag) RETURN t.tag AS tag, t.kinds AS kinds")
    assert {row["tag"]: row["kinds"] for row in tags} == {
        "games": ["tag"], "sport": ["content", "tag"], "video": ["content"], "travel": ["tag"],
    }  # fmt: skip
    assert found(tagged, "User", "TAGGED", "Tag", "visits", "mb") == {
        (text(1), "games", 5, 0.3), (text(1), "sport", 1, None), (text(2), "sport", 4, 1.5), (text(2), "video", 4, 1.5),
    }  # fmt: skip
    (moments,) = {row[2:] for row in found(tagged, "User", "TAGGED", "Tag", "first_at", "last_at") if row[1] == "games"}
    assert [moment.isoformat()[:16] for moment in moments] == ["2026-05-30T08:00", "2026-06-01T09:30"]
    assert found(tagged, "App", "TAGGED", "Tag") == {("chess", "games"), ("cup", "sport"), ("cup", "video")}
    assert found(tagged, "Answer", "TAGGED", "Tag") == {("abroad/yes", "travel"), ("abroad/yes", "sport")}
    assert found(tagged, "Answer", "SUGGESTS", "Offer") == {("abroad/yes", "roam")}
    answers = tagged.read("MATCH (q:Question)-[:HAS]->(a:Answer) RETURN q.question AS q, properties(a) AS a")
    assert sorted((row["q"], *sorted(row["a"].items())) for row in answers) == [
        ("a/b", ("answer", "a%2Fb/no"), ("name", "no"), ("question", "a/b")),
        ("abroad", ("answer", "abroad/no"), ("name", "no"), ("question", "abroad"), ("text", "Never")),
        ("abroad", ("answer", "abroad/yes"), ("name", "yes"), ("question", "abroad"), ("text", "Often")),
    ]


def test_translated_visits_are_use_of_apps(tagged: Store) -> None:
    use = found(tagged, "User", "USES_APP", "App", "sessions", "seconds", "mb", "first_at")
    first = {(row[0], row[1]): row[5].to_native() if hasattr(row[5], "to_native") else row[5] for row in use}
    assert {row[:5] for row in use} == {(text(1), "chess", 10, 60, 1.3), (text(2), "cup", 4, None, 1.5)}
    assert first[text(1), "chess"] == dt.datetime(2026, 5, 2, 10, tzinfo=dt.UTC)


def test_a_rule_taken_back_takes_its_tags_along(tagged: Store, lake: Lake, fill, settings) -> None:
    fill(url_rules=RULES[1:], web_use=USE[3:])
    lake.drop("web_use", "2026-05")
    change = load_graph(lake, tagged, settings)
    assert {"Tag", "user_tags", "app_tags", "uses_app"} <= set(change["parts"])
    assert found(tagged, "User", "TAGGED", "Tag", "visits") == {(text(2), "sport", 4), (text(2), "video", 4)}
    assert tagged.read("MATCH (t:Tag {tag: 'games'}) RETURN count(t) AS n") == [{"n": 0}]
    assert found(tagged, "Answer", "TAGGED", "Tag") == {("abroad/yes", "travel"), ("abroad/yes", "sport")}
