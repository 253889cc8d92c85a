"""Readable names for learned groups of apps."""

from __future__ import annotations

from collections import Counter

import numpy as np

from lake.tables import Lake


def app_names(lake: Lake, items: np.ndarray) -> np.ndarray:
    """A name for each app, (m,) of text, all different: the catalogue's, with the identifier where it is not unique.

    An app that the catalogue does not name goes by its identifier.
    """
    if not lake.has("apps"):
        return items
    table = lake.read("apps", ["app", "name"])
    named = {app: name for app, name in zip(table["app"].to_pylist(), table["name"].to_pylist(), strict=True) if name}
    names = [named.get(item, item) for item in items]
    often = Counter(names)
    return np.array(
        [name if often[name] == 1 else f"{name} ({item})" for name, item in zip(names, items, strict=True)], object
    )
