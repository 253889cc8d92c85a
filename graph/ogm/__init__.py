"""The dumbbell as py2neo OGM classes, for notebooks written for py2neo: the extra `dumbbell[py2neo]`.

py2neo's last release is of 2021 and its makers call it at its end of life; `docs/analyst.md` says what still works and
what replaces it. Here it only reads: nodes and edges come from the feeds, and saving an object is refused.

A class has its label's properties (with scores as `user["leaders_rank"]`) and, named after the type of the edge, the
objects at their ends: `user.uses_app`, in the other direction `app.users`. py2neo gives dates and moments in types of
its own; `to_native()` makes them Python's.
"""

from graph.ogm.models import (
    CLASSES,
    Answer,
    App,
    Category,
    Cell,
    Channel,
    Handset,
    Offer,
    Person,
    Product,
    Question,
    Segment,
    Store,
    Tag,
    User,
)
from graph.ogm.node import Against, Along, Either, Ends, Node, repository

__all__ = [
    "CLASSES",
    "Against",
    "Along",
    "Answer",
    "App",
    "Category",
    "Cell",
    "Channel",
    "Either",
    "Ends",
    "Handset",
    "Node",
    "Offer",
    "Person",
    "Product",
    "Question",
    "Segment",
    "Store",
    "Tag",
    "User",
    "repository",
]
