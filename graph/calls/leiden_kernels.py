"""The three steps of Leiden on compressed rows, one node after the other, so that an answer repeats itself.

What is made as large as possible is the sum over communities C of

    W(C) - M(C)^2     W: weight inside (each edge twice), M: sum of the members' mass

which is 2m times modularity where a node's mass is strength / sqrt(2m). Edges inside a node are left out: no move
changes what they add.

V. A. Traag, L. Waltman, N. J. van Eck, "From Louvain to Leiden: guaranteeing well-connected communities" (2019). In the
refinement the best of the allowed mergers is taken, not one by chance (their theta towards 0).
"""

from __future__ import annotations

import numba
import numpy as np

LEAST = 1e-9
"""A gain that counts: what rounding makes of nothing is less."""


@numba.njit(cache=True)
def move(
    starts: np.ndarray, contact: np.ndarray, weight: np.ndarray, mass: np.ndarray, order: np.ndarray, label: np.ndarray
) -> None:
    """Move nodes to the neighbouring community (or an empty one) that gains most until none gains; `label` changes.

    Labels are below n. Nodes are looked at in `order`, afterwards those whose neighbours left.
    """
    n = starts.shape[0] - 1
    held = np.zeros(n)
    members = np.zeros(n, np.int32)
    for v in range(n):
        held[label[v]] += mass[v]
        members[label[v]] += 1
    empty = np.flatnonzero(members == 0).astype(np.int32)[::-1].copy()
    empties = empty.shape[0]
    empty = np.append(empty, np.empty(n - empties, np.int32))
    queue, waits = order.astype(np.int32), np.ones(n, np.bool_)
    head, waiting = 0, n
    to = np.zeros(n)
    near = np.empty(n, np.int32)
    while waiting:
        v = queue[head]
        head = head + 1 if head + 1 < n else 0
        waiting -= 1
        waits[v] = False
        old = label[v]
        found = 0
        for i in range(starts[v], starts[v + 1]):
            c = label[contact[i]]
            if to[c] == 0.0:
                near[found] = c
                found += 1
            to[c] += weight[i]
        held[old] -= mass[v]
        best, most = old, to[old] - mass[v] * held[old]
        for j in range(found):
            c = near[j]
            gain = to[c] - mass[v] * held[c]
            if gain > most + LEAST:
                best, most = c, gain
            to[c] = 0.0
        if most < -LEAST and empties and members[old] > 1:
            best = empty[empties - 1]
            empties -= 1
        held[best] += mass[v]
        if best == old:
            continue
        label[v] = best
        members[best] += 1
        members[old] -= 1
        if members[old] == 0:
            held[old] = 0.0
            empty[empties] = old
            empties += 1
        for i in range(starts[v], starts[v + 1]):
            u = contact[i]
            if label[u] != best and not waits[u]:
                waits[u] = True
                queue[(head + waiting) % n] = u
                waiting += 1


@numba.njit(cache=True)
def refine(
    starts: np.ndarray, contact: np.ndarray, weight: np.ndarray, mass: np.ndarray, order: np.ndarray, label: np.ndarray
) -> tuple[np.ndarray, int]:
    """Well-connected parts of each community: (n,) numbered 0, 1, ... by their first node, and how many there are."""
    n = starts.shape[0] - 1
    held = np.zeros(n)
    for v in range(n):
        held[label[v]] += mass[v]
    part = np.arange(n).astype(np.int32)
    part_mass = mass.copy()
    alone = np.ones(n, np.bool_)
    out = np.zeros(n)  # weight from a part to the rest of its community
    for v in range(n):
        for i in range(starts[v], starts[v + 1]):
            if label[contact[i]] == label[v]:
                out[v] += weight[i]
    to = np.zeros(n)
    near = np.empty(n, np.int32)
    for k in range(n):
        v = order[k]
        whole = held[label[v]]
        if not alone[v] or out[v] < mass[v] * (whole - mass[v]) - LEAST:
            continue
        found = 0
        for i in range(starts[v], starts[v + 1]):
            if label[contact[i]] == label[v]:
                c = part[contact[i]]
                if to[c] == 0.0:
                    near[found] = c
                    found += 1
                to[c] += weight[i]
        best, most, weight_to = v, 0.0, 0.0
        for j in range(found):
            c = near[j]
            gain = to[c] - mass[v] * part_mass[c]
            if gain > most and out[c] >= part_mass[c] * (whole - part_mass[c]) - LEAST:
                best, most, weight_to = c, gain, to[c]
            to[c] = 0.0
        if best != v:
            part[v] = best
            alone[v], alone[best] = False, False
            part_mass[best] += mass[v]
            out[best] += out[v] - 2 * weight_to
    return numbered(part, n)


@numba.njit(cache=True)
def numbered(label: np.ndarray, below: int) -> tuple[np.ndarray, int]:
    """Labels (n,) from 0 and below `below` as 0, 1, ... by their first node, int32 (n,), and how many there are."""
    number = np.full(below, -1, np.int32)
    out = np.empty(label.shape[0], np.int32)
    count = 0
    for v in range(label.shape[0]):
        if number[label[v]] < 0:
            number[label[v]] = count
            count += 1
        out[v] = number[label[v]]
    return out, count


@numba.njit(cache=True)
def gather(
    starts: np.ndarray, contact: np.ndarray, weight: np.ndarray, part: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The graph whose nodes are the parts: compressed rows, weights added up, edges inside left out."""
    n = starts.shape[0] - 1
    begins = np.zeros(count + 1, np.int64)
    for v in range(n):
        begins[part[v] + 1] += 1
    begins = np.cumsum(begins)
    fill, member = begins[:-1].copy(), np.empty(n, np.int32)
    for v in range(n):
        member[fill[part[v]]] = v
        fill[part[v]] += 1
    rows = np.zeros(count + 1, np.int64)
    columns = np.empty(contact.shape[0], np.int32)
    weights = np.empty(contact.shape[0], weight.dtype)
    to = np.zeros(count)
    used = 0
    for p in range(count):
        first = used
        for k in range(begins[p], begins[p + 1]):
            v = member[k]
            for i in range(starts[v], starts[v + 1]):
                q = part[contact[i]]
                if q != p:
                    if to[q] == 0.0:
                        columns[used] = q
                        used += 1
                    to[q] += weight[i]
        for k in range(first, used):
            weights[k] = to[columns[k]]
            to[columns[k]] = 0.0
        rows[p + 1] = used
    return rows, columns[:used].copy(), weights[:used].copy()


@numba.njit(cache=True)
def renumbered(
    starts: np.ndarray, contact: np.ndarray, weight: np.ndarray, order: np.ndarray, place: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same graph with node `order[i]` as node i, and `place` the inverse: neighbours that lie near each other in
    memory are looked up several times as fast."""
    rows = np.zeros(starts.shape[0], starts.dtype)
    columns, weights = np.empty_like(contact), np.empty_like(weight)
    used = 0
    for i in range(order.shape[0]):
        for k in range(starts[order[i]], starts[order[i] + 1]):
            columns[used] = place[contact[k]]
            weights[used] = weight[k]
            used += 1
        rows[i + 1] = used
    return rows, columns, weights
