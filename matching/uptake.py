"""The chance that a customer begins to use an app, as the snapshot learned it from what was held out
(`embeddings.uptake`): read off the app's score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True)
class Uptake:
    """Knots of the chance by kind of score, `deviations` or `shares`: (scores, chances), rising, linear in between.

    >>> uptake = Uptake({"deviations": (np.array([0.0, 4.0]), np.array([0.0, 0.1]))})
    >>> uptake.chance(np.array([-1.0, 2.0, 9.0]), shares=False, used=True), uptake.chance(np.ones(1), True, False)
    ([0.0, 0.05, 0.1], None)
    """

    knots: dict[str, tuple[np.ndarray, np.ndarray]]

    @classmethod
    def of(cls, table: pa.Table) -> Uptake:
        """From the snapshot's table `(kind, score, chance)`."""
        parts = {kind: table.filter(pc.equal(table["kind"], kind)) for kind in pc.unique(table["kind"]).to_pylist()}
        return cls({kind: (np.asarray(part["score"]), np.asarray(part["chance"])) for kind, part in parts.items()})

    def chance(self, values: np.ndarray, shares: bool, used: bool) -> list[float] | None:
        """Chances at scores (k), which are `shares` or deviations, of a customer who has `used` any app; None where
        none was learned: also of deviations without use, which come from attributes or other people."""
        found = self.knots.get("shares" if shares else "deviations")
        if found is None or not (shares or used):
            return None
        chances: list[float] = np.interp(values, *found).tolist()
        return chances
