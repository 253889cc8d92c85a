"""Positions against networkx, and on graphs whose answer is plain."""

from __future__ import annotations

import networkx as nx
import numba
import numpy as np
import pytest

from graph.calls.adoptions import Adoptions, led
from graph.calls.position import cores, effective_size, pagerank, reach, triangles


def random_graph(seed: int, n: int = 40, m: int = 120) -> nx.DiGraph:
    rng = np.random.default_rng(seed)
    graph = nx.DiGraph()
    graph.add_nodes_from(range(n))
    for a, b, w in zip(rng.integers(0, n, m), rng.integers(0, n, m), rng.integers(1, 9, m), strict=True):
        if a != b:
            graph.add_edge(int(a), int(b), weight=float(w))
    return graph


def rows(graph: nx.DiGraph) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    starts, contact, in_, out = [0], [], [], []
    for u in sorted(graph):
        for v in sorted(set(graph.successors(u)) | set(graph.predecessors(u))):
            contact.append(v)
            in_.append(graph.edges[v, u]["weight"] if graph.has_edge(v, u) else 0.0)
            out.append(graph.edges[u, v]["weight"] if graph.has_edge(u, v) else 0.0)
        starts.append(len(contact))
    return np.array(starts), np.array(contact, np.int32), np.array(in_), np.array(out)


@pytest.mark.parametrize("seed", range(5))
def test_positions_agree_with_networkx(seed: int) -> None:
    graph = random_graph(seed)
    starts, contact, in_, out = rows(graph)
    plain = graph.to_undirected()
    wanted = nx.pagerank(graph, weight="weight", tol=1e-12, max_iter=500)
    assert pagerank(starts, contact, in_, out, tol=1e-12) == pytest.approx([wanted[u] for u in range(40)], abs=1e-9)
    assert cores(starts, contact).tolist() == [nx.core_number(plain)[u] for u in range(40)]
    assert triangles(starts, contact).tolist() == [nx.triangles(plain)[u] for u in range(40)]
    for edge in plain.edges.values():
        edge.clear()  # without weights networkx takes Borgatti's form
    sizes = nx.effective_size(plain)
    known = [u for u in range(40) if plain.degree(u)]
    assert effective_size(starts, contact)[known] == pytest.approx([sizes[u] for u in known])
    two = [len(nx.single_source_shortest_path_length(plain, u, cutoff=2)) - 1 for u in range(40)]
    assert reach(starts, contact).tolist() == two


def test_a_cycle_ranks_all_alike_and_a_star_has_one_broker() -> None:
    cycle = nx.cycle_graph(6, create_using=nx.DiGraph)
    nx.set_edge_attributes(cycle, 1.0, "weight")
    assert pagerank(*rows(cycle)) == pytest.approx(np.full(6, 1 / 6))
    star = nx.DiGraph([(0, v, {"weight": 1.0}) for v in range(1, 5)])
    starts, contact, *_ = rows(star)
    assert effective_size(starts, contact).tolist() == [4, 1, 1, 1, 1]
    assert cores(starts, contact).tolist() == [1] * 5
    assert reach(starts, contact).tolist() == [4] * 5


def test_a_hub_and_a_small_circle_share_contacts() -> None:
    # 0 knows 1..199; 1 knows 0, 2 and 3: the long list is searched, not walked.
    edges = [(0, v) for v in range(1, 200)] + [(1, 2), (1, 3)]
    graph = nx.DiGraph([(a, b, {"weight": 1.0}) for a, b in edges])
    starts, contact, *_ = rows(graph)
    assert triangles(starts, contact)[:5].tolist() == [2, 2, 1, 1, 0]


def test_an_empty_graph_has_no_positions() -> None:
    nothing = np.zeros(1, np.int64), np.empty(0, np.int32)
    assert pagerank(*nothing, np.empty(0), np.empty(0)).tolist() == []
    assert [len(f(*nothing)) for f in (cores, triangles, reach, effective_size)] == [0] * 4


def test_one_thread_and_two_give_the_same_bytes() -> None:
    starts, contact, in_, out = rows(random_graph(7, n=400, m=3000))
    rng = np.random.default_rng(7)
    followers = [np.sort(rng.choice(400, 60, replace=False)).astype(np.int32) for _ in range(20)]
    found = Adoptions(
        np.concatenate(followers),
        np.concatenate([np.sort(rng.integers(0, 90, 60)) for _ in followers]).astype(np.int32),
        np.arange(21) * 60,
    )

    def answers() -> list[bytes]:
        led_, evidence = led(found, starts, contact)
        measures = pagerank(starts, contact, in_, out), cores(starts, contact), effective_size(starts, contact)
        return [one.tobytes() for one in (*measures, reach(starts, contact), led_, evidence)]

    threads = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        one = answers()
        numba.set_num_threads(threads)
        assert answers() == one
    finally:
        numba.set_num_threads(threads)
