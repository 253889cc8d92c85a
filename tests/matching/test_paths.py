"""Every path that an answer shows lies in the graph as loaded."""

from __future__ import annotations

from typing import Any

import pytest

from graph.schema import KEYS
from matching.decision import MatchRequest
from matching.match import match
from tests.matching.conftest import user
from tests.matching.test_newcomers import add_apps


def lies_in(store, path: list[dict[str, Any]]) -> bool:
    """Whether the graph holds such nodes in such a chain; a node without a key may be any of its label."""
    parts, parameters = [], {}
    for i, step in enumerate(path):
        if "edge" in step:
            parts.append(f"-[:{step['edge']}]-")
        elif "key" in step:
            parts.append(f"(:{step['node']} {{{KEYS[step['node']]}: $key{i}}})")
            parameters[f"key{i}"] = step["key"]
        else:
            parts.append(f"(:{step['node']})")
    return bool(store.read(f"MATCH {''.join(parts)} RETURN 1 AS one LIMIT 1", **parameters))


@pytest.mark.parametrize("kind", ["app", "offer"])
def test_paths_lie_in_the_graph(load, lake, settings, neo4j_store, kind):
    from graph.load import load_graph

    add_apps(lake, ("blog", "talk", None), ("ball", None, None))  # which the snapshot does not know
    state = load()
    load_graph(lake, neo4j_store, settings)
    shown = [item.path for i in (0, 1, 2, 4, 6, 77) for item in match(state, MatchRequest(user(i), kind, 10)).items]
    assert len(shown) >= 5
    for path in shown:
        assert all(("node" in step) != ("edge" in step) for step in path)
        assert ["node" in step for step in path] == [i % 2 == 0 for i in range(len(path))]
        assert lies_in(neo4j_store, path), path
