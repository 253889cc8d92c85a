"""Categories: the catalogue's, else learned from who uses what together."""

import numpy as np
import pytest
from scipy import sparse

from graph.dumbbell.categories import learn_categories
from graph.dumbbell.couse import groups, neighbours
from graph.dumbbell.holdings import app_use
from graph.dumbbell.population import Population


def use(users, apps):
    return [{"user": u, "app": app, "at": "2026-06-01"} for u in users for app in apps]


def categories(lake):
    table = learn_categories(lake, app_use(lake, Population.read(lake)))
    return {(row["item_kind"], row["item"]): row["category"] for row in table.to_pylist()}


def test_the_catalogue_decides_where_it_says_something(fill):
    lake = fill(
        customers=[1],
        apps=[{"app": "chess", "name": "Chess", "category": "games"}, {"app": "odd", "name": "Odd"}],
        products=[{"product": "p", "name": "Plan S", "kind": "plan"}],
    )
    assert categories(lake) == {("app", "chess"): "games", ("product", "p"): "plan"}


def test_an_app_without_category_takes_that_of_the_apps_used_beside_it(fill):
    lake = fill(
        customers=[1, 2, 3, 4],
        apps=[
            {"app": "chess", "name": "Chess", "category": "games"},
            {"app": "papers", "name": "Papers", "category": "news"},
        ],
        app_usage=use([1, 2], ["chess", "odd"]) + use([3, 4], ["papers"]) + use([2], ["papers"]),
    )
    assert categories(lake)["app", "odd"] == "games"


def test_groups_are_learned_where_no_app_has_a_category_and_go_by_the_most_used(fill):
    lake = fill(
        customers=range(1, 8),
        apps=[{"app": "b", "name": "Bus times"}],
        app_usage=use([1, 2, 3], ["a", "b"]) + use([4], ["b"]) + use([5, 6, 7], ["x", "y"]) + use([1], ["alone"]),
    )
    found = categories(lake)
    assert found == {
        ("app", "a"): "like: Bus times",
        ("app", "b"): "like: Bus times",
        ("app", "x"): "like: x",
        ("app", "y"): "like: x",
    }


def test_apps_of_one_name_are_told_apart_by_their_identifier(fill):
    lake = fill(
        customers=range(1, 7),
        apps=[{"app": "a", "name": "Maps"}, {"app": "x", "name": "Maps"}],
        app_usage=use([1, 2, 3], ["a", "b"]) + use([4, 5, 6], ["x", "y"]),
    )
    assert set(categories(lake).values()) == {"like: Maps (a)", "like: Maps (x)"}


def test_a_learned_group_keeps_its_name_while_most_of_its_apps_stay(fill):
    lake = fill(customers=range(1, 8), app_usage=use([1, 2, 3], ["b", "c"]) + use([5, 6, 7], ["x", "y"]))
    first = learn_categories(lake, app_use(lake, Population.read(lake)))
    assert set(first["category"].to_pylist()) == {"like: b", "like: x"}
    lake.write("categories", first)
    # an app that would name the group by itself joins it
    fill(app_usage=use([1, 2, 3, 4], ["a", "b", "c"]) + use([5, 6, 7], ["x", "y"]))
    found = categories(lake)
    assert found == {("app", app): "like: b" for app in "abc"} | {("app", app): "like: x" for app in "xy"}


def test_a_lake_without_apps_or_products_has_no_categories(fill):
    assert categories(fill(customers=[1])) == {}


def slow_neighbours(held):
    """The definition, pair by pair."""
    m = held.shape[1]
    kept = {}
    for i in range(m):
        weights = []
        for j in range(m):
            common = int((held[:, i] * held[:, j]).sum())
            if i != j and common >= 2:
                weights.append((-common / (np.sqrt(held[:, i].sum() * held[:, j].sum()) + 3), j))
        for weight, j in sorted(weights)[:10]:
            kept[i, j] = kept[j, i] = -weight
    return kept


@pytest.mark.parametrize("seed", range(5))
def test_neighbours_agree_with_their_definition(seed, monkeypatch):
    monkeypatch.setattr("graph.dumbbell.couse.BLOCK", 7)
    held = (np.random.default_rng(seed).random((40, 25)) < 0.25).astype(float)
    found = neighbours(sparse.csr_array(held)).tocoo()
    expected = slow_neighbours(held)
    assert {(i, j) for i, j in zip(found.row.tolist(), found.col.tolist(), strict=True)} == set(expected)
    for i, j, weight in zip(found.row.tolist(), found.col.tolist(), found.data, strict=True):
        assert weight == pytest.approx(expected[i, j])


def test_groups_repeat_themselves():
    held = sparse.csr_array((np.random.default_rng(1).random((300, 60)) < 0.1).astype(float))
    near = neighbours(held)
    assert (groups(near) == groups(near)).all()


def test_no_use_is_no_group():
    empty = sparse.csr_array((3, 4))
    assert groups(neighbours(empty)).tolist() == [-1] * 4
