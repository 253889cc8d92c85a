"""Templates on a graph that holds nothing, and in every language the server speaks."""

from cypher.catalogue import load
from graph.store import Store
from tests.cypher.conftest import GIVEN, rows


def test_an_empty_graph_answers_nothing(neo4j_store: Store) -> None:
    assert {name: rows(neo4j_store, name) for name in GIVEN} == {name: [] for name in GIVEN}


def test_templates_are_valid_in_both_languages(neo4j_store: Store) -> None:
    version = neo4j_store.read("CALL dbms.components() YIELD versions RETURN versions[0] AS version")[0]["version"]
    languages = ["CYPHER 5"] if version.startswith("5.") else ["CYPHER 5", "CYPHER 25"]
    for language in languages:
        for template in load().values():
            assert neo4j_store.explain(f"{language} {template.cypher}").query_type == "r", template.name
