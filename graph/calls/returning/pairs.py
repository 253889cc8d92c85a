"""Leavers and new numbers that share contacts: an index from contacts to new numbers, the best pairs of each leaver.

Comparing everybody with everybody is out of the question at 100,000 leavers and millions of numbers. A pair counts
sum over shared contacts of log(all contacts / the contact's), over sqrt(1 + the candidate's contacts): contacts that
few have say more (L. Adamic, E. Adar, "Friends and neighbors on the Web", Social Networks 25, 2003; for numbers:
C. Cortes, D. Pregibon, C. Volinsky, "Communities of interest", IDA 2001).
"""

from __future__ import annotations

import numba
import numpy as np

from graph.calls.returning.profiles import starts_of

KEPT = 32
"""Candidates of one leaver that are weighed."""
CROWD = 2_000
"""A contact with more new numbers than this points to nobody."""


def index(starts: np.ndarray, contact: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The transpose of compressed rows: `starts` (n + 1,) and, by contact, the rows that have it, rising."""
    order = np.argsort(contact, kind="stable")
    row = np.repeat(np.arange(len(starts) - 1, dtype=np.int32), np.diff(starts))
    return starts_of(contact[order], n), row[order]


@numba.njit(cache=True)
def pairs(
    starts: np.ndarray,
    contact: np.ndarray,
    sure: np.ndarray,
    user: np.ndarray,
    since: np.ndarray,
    number: np.ndarray,
    first: np.ndarray,
    many: np.ndarray,
    index_starts: np.ndarray,
    index_row: np.ndarray,
    rarity: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of leavers and of candidates, by leaver and then candidate.

    Leavers are compressed rows (`starts`, `contact`, `sure`: the probability that it is a contact), `user` and `since`
    the day from which a new number may be theirs. Candidates: `number`, `first` day, `many` contacts, and the index.
    """
    score = np.zeros(number.shape[0])
    touched = np.empty(number.shape[0], np.int32)
    left, right = [np.int32(0) for _ in range(0)], [np.int32(0) for _ in range(0)]
    for i in range(user.shape[0]):
        found = 0
        for e in range(starts[i], starts[i + 1]):
            c = contact[e]
            low, high = index_starts[c], index_starts[c + 1]
            if high - low > CROWD:
                continue
            worth = sure[e] * rarity[c]
            for k in range(low, high):
                v = index_row[k]
                if first[v] < since[i] or number[v] == user[i]:
                    continue
                if score[v] == 0.0:
                    touched[found] = v
                    found += 1
                score[v] += worth / np.sqrt(1.0 + many[v])
        some = np.sort(touched[:found])
        if found > KEPT:
            best = np.argsort(-score[some], kind="mergesort")[:KEPT]
            chosen = np.sort(some[best])
        else:
            chosen = some
        for v in chosen:
            left.append(np.int32(i))
            right.append(v)
        for v in some:
            score[v] = 0.0
    return np.array(left, np.int32), np.array(right, np.int32)
