"""How a node of the dumbbell is a py2neo object: properties, the ends of its edges, and no writing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, NoReturn

from py2neo.ogm import Model, Related, RelatedFrom, RelatedObjects, RelatedTo, Repository

from graph.store import Store
from lake.errors import QueryRefused


def repository(store: Store) -> Repository:
    """py2neo's way to the store's server; `repository(store).get(App, "maps")` is the node, or None."""
    return Repository(store.endpoint.uri, auth=(store.endpoint.user, store.endpoint.password))


class Ends(RelatedObjects):
    """The objects at the other ends of a node's edges of one type, sorted by key; asked for once, when first used.

    Iterating gives one a pair, `triples()` one an edge with its properties: calls of two periods are two. py2neo's own
    would keep one of them only, and mix labels where a type of edge leads to several.
    """

    def __init__(self, model: Node, direction: int, type: str, end: type[Node]) -> None:
        super().__init__(model, model.__node__, direction, type, end)
        left, right = ("<" if direction < 0 else ""), (">" if direction > 0 else "")
        label, key = end.__primarylabel__, end.__primarykey__
        self._query = (
            f"MATCH (a:{model.__primarylabel__} {{{model.__primarykey__}: $key}}){left}-[r:{type}]-{right}(b:{label}) "
            f"RETURN b, properties(r) AS edge ORDER BY b.{key}, r.period, r.since, r.at"
        )
        self._found: list[tuple[Node, dict[str, Any]]] | None = None

    def __iter__(self) -> Iterator[Node]:
        return iter({end.__primaryvalue__: end for end, _ in self._related_objects}.values())

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @property
    def _related_objects(self) -> list[tuple[Node, dict[str, Any]]]:
        if self._found is None:
            graph = self.node.graph
            rows = graph.query(self._query, {"key": self.subject.__primaryvalue__}) if graph else []
            self._found = [(self.related_class.wrap(end), edge) for end, edge in rows]
        return self._found

    def __db_pull__(self, tx: Any) -> None:
        self._found = None


class Either(Related):
    """Edges whichever way they point; an attribute that is `Ends`. Classes are given by name."""

    def __get__(self, instance: Node, owner: type) -> Ends:
        end = getattr(sys.modules[type(instance).__module__], self.related_class)
        known = instance.__ogm__._related
        place = (self.direction, self.relationship_type, end)
        if place not in known:
            known[place] = Ends(instance, *place)
        return known[place]


class Along(Either, RelatedTo):
    """Edges that start here."""


class Against(Either, RelatedFrom):
    """Edges that end here."""


class Node(Model):
    """One node; two are equal when label and key are."""

    def __getitem__(self, name: str) -> Any:
        """Any property by its name; None for one that the node has not."""
        return self.__node__[name]

    def __hash__(self) -> int:
        return hash((self.__primarylabel__, self.__primaryvalue__))

    def _refuse(self, *_: Any) -> NoReturn:
        raise QueryRefused("nodes and edges come from the feeds", "change the feeds and load them again")

    __db_create__ = __db_merge__ = __db_push__ = __db_delete__ = _refuse
