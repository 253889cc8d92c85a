"""The py2neo classes against the real server, and against what the loaders put there."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from py2neo.ogm import Property

from graph.edges import EDGES, calls_part
from graph.ogm import CLASSES, Along, App, Category, Either, Segment, User, repository
from graph.schema import KEYS, ensure
from graph.store import Store
from lake.errors import QueryRefused
from loaders.feeds import FEEDS

OPERATOR = """
CREATE (ann:User {user: 'ann', birth_year: 1990, activated_on: date('2025-01-02'), leaders_rank: 1}),
       (ben:User {user: 'ben', birth_year: 1960}), (cem:User {user: 'cem'}),
       (maps:App {app: 'maps', os: ['android', 'ios']}), (big:Product {product: 'big'}),
       (young:Segment {segment: 'young'}), (travel:Category {category: 'travel'}),
       (ann)-[:CALLS {period: '2026-06', calls_out: 1}]->(ben),
       (ann)-[:CALLS {period: '2026-05', calls_out: 2}]->(ben),
       (cem)-[:CALLS {period: '2026-05', calls_out: 4}]->(ann),
       (ann)-[:USES_APP {sessions: 3}]->(maps), (ben)-[:USES_APP {sessions: 5}]->(maps),
       (ann)-[:IN_SEGMENT]->(young), (maps)-[:IN_CATEGORY]->(travel), (big)-[:IN_CATEGORY]->(travel),
       (young)-[:FITS {lift: 2.0}]->(travel), (young)-[:FITS {lift: 3.0}]->(maps)
"""


@pytest.fixture
def repo(neo4j_store: Store) -> Any:
    neo4j_store.write(OPERATOR)
    return repository(neo4j_store)


def test_a_node_is_found_by_its_key(repo: Any) -> None:
    ann = repo.get(User, "ann")
    assert (ann.birth_year, ann["leaders_rank"], ann.city) == (1990, 1, None)
    assert ann.activated_on.to_native() == dt.date(2025, 1, 2)
    assert repo.get(App, "maps").os == ["android", "ios"]
    assert repo.get(User, "nobody") is None
    assert [user.user for user in repo.match(User).where("_.birth_year > 1950").order_by("_.user")] == ["ann", "ben"]


def test_edges_lead_to_one_label_each(repo: Any) -> None:
    young = repo.get(Segment, "young")
    assert [(end.category, facts["lift"]) for _, (_, facts), end in young.fits_category.triples()] == [("travel", 2.0)]
    assert [(end.app, facts["lift"]) for _, (_, facts), end in young.fits_app.triples()] == [("maps", 3.0)]
    travel = repo.get(Category, "travel")
    assert ([app.app for app in travel.apps], [product.product for product in travel.products]) == (["maps"], ["big"])


def test_parallel_edges_and_both_directions(repo: Any) -> None:
    ann = repo.get(User, "ann")
    assert [other.user for other in ann.calls] == ["ben", "cem"]
    assert [(end.user, facts["period"]) for _, (_, facts), end in ann.calls.triples()] == [
        ("ben", "2026-05"),
        ("ben", "2026-06"),
        ("cem", "2026-05"),
    ]
    assert len(ann.calls) == 2
    assert repo.get(User, "cem") in ann.calls


def test_a_walk_through_the_dumbbell(repo: Any) -> None:
    alike = {
        other.user
        for app in repo.get(User, "ann").uses_app
        for category in app.in_category
        for segment in category.segments
        for other in segment.users
    }
    assert alike == {"ann"}
    assert {user.user: app["app"] for app in repo.match(App) for user in app.users} == {"ann": "maps", "ben": "maps"}


def test_nothing_is_written(repo: Any, neo4j_store: Store) -> None:
    ann = repo.get(User, "ann")
    ann.birth_year = 1900
    ann.calls.clear()
    for attempt in (repo.save, repo.delete, repo.graph.create, repo.graph.merge):
        with pytest.raises(QueryRefused, match="feeds"):
            attempt(ann)
    assert neo4j_store.read("MATCH (u:User {user: 'ann'})-[r:CALLS]-() RETURN u.birth_year AS y, count(r) AS n") == [
        {"y": 1990, "n": 3}
    ]


def test_what_py2neo_cannot_do_any_more(repo: Any, neo4j_store: Store) -> None:
    """As the docs say; when this fails, they have to be changed."""
    from py2neo.errors import ClientError

    ensure(neo4j_store)
    for call in (repo.graph.schema.get_indexes, repo.graph.schema.get_uniqueness_constraints):
        with pytest.raises(ClientError, match=r"db\.indexes"):
            call("User")
    with pytest.raises(ClientError, match="Syntax"):
        repo.graph.schema.create_uniqueness_constraint("User", "user")
    with pytest.raises(ClientError, match="parameter"):
        repo.match(User).where("_.birth_year > $year", year=1980).first()
    assert repo.match(User).where(birth_year=1990).first().user == "ann"


def _attributes(kind: Any, of: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(of).items() if isinstance(value, kind)}


MADE = {
    "User": {"user", "off_net", "left"},
    "Tag": {"tag", "kinds"},
    "Question": {"question"},
    "Answer": {"answer", "name", "question", "text"},
}
"""Properties beside the columns of a feed, or instead of them."""


def test_classes_are_the_labels_with_their_keys_and_properties() -> None:
    assert {of.__name__: of.__primarykey__ for of in CLASSES} == KEYS
    for of in CLASSES:
        feed = FEEDS.get(f"{of.__name__.lower()}s") if of.__name__ != "Question" else None
        columns = {column.name for column in feed.columns} if feed else set()
        there = columns - {"number", *_attributes(Either, of)}  # `excludes` are the products themselves
        assert set(_attributes(Property, of)) == there | MADE.get(of.__name__, {of.__primarykey__})


def test_every_edge_that_is_loaded_has_an_attribute_at_both_ends() -> None:
    along = {
        (of.__name__, edge.relationship_type, edge.related_class)
        for of in CLASSES
        for edge in _attributes(Either, of).values()
        if isinstance(edge, Along) or type(edge) is Either
    }
    against = {
        (edge.related_class, edge.relationship_type, of.__name__)
        for of in CLASSES
        for edge in _attributes(Either, of).values()
        if not isinstance(edge, Along)
    }
    loaded = {(edge.start, edge.type, edge.end) for edge in [*EDGES, calls_part("2026-05")]}
    assert loaded <= along
    assert along - against <= {("Product", "EXCLUDES", "Product")}
    assert against <= along
