"""Templates on a graph that holds nothing, in every language the server speaks."""

from cypher.catalogue import load
from cypher.parameters import parse_json
from graph.store import Store
from tests.cypher.conftest import GIVEN
from tests.cypher.small_graph import TODAY


def test_an_empty_graph_answers_nothing_in_every_language(neo4j_store: Store) -> None:
    version = neo4j_store.read("CALL dbms.components() YIELD versions RETURN versions[0] AS version")[0]["version"]
    languages = ["CYPHER 5"] if version.startswith("5.") else ["CYPHER 5", "CYPHER 25"]
    for name, template in load().items():
        parameters = parse_json(template, GIVEN[name], TODAY)
        for language in languages:
            assert neo4j_store.read(f"{language} {template.cypher}", **parameters) == [], (language, name)
