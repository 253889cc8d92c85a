"""Each customer's best apps made ahead, so that a decision only reads them: lists in a file that workers map.

A list holds while the state does (the file's name says which) and nothing about the customer has changed since: who
answered, used an app, or is asked through a channel that must not approach them now, is decided afresh. So a decision
with lists is the decision without.

The file is of this boot of the machine: after a power cut, pages may be on disk without those before them.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lake.home import DERIVED, Home, enough_disk
from matching.coarse import best_apps
from matching.eligibility import Block, explain
from matching.evidence import EVIDENCE, Found, strongest
from matching.rank import top_k
from matching.scores import app_scores
from matching.state import MatchState

FOLDER = DERIVED[0]
LENGTH = 20
"""Apps in a list: two for each item that a caller is given unless it asks for more."""
BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(slots=True)
class Best:
    """Best apps of one customer: items int32 (k), -1 where there are fewer, and scores float64 (k), which are `shares`
    or deviations; how many apps each rule removed; the evidence `found` for each, arrays (k)."""

    items: np.ndarray
    values: np.ndarray
    shares: bool
    removed: dict[str, int]
    found: Found


def best(state: MatchState, block: Block, k: int) -> Best:
    """The best apps of the single customer of a block, decided now."""
    mask, removed = explain(state, block)
    used = block.used[1]
    found = best_apps(state.coarse, state.vectors, state.used, int(block.users[0]), mask[0], k, used)
    if found is not None:
        return Best(*found, False, removed, _evidence(state, block, found[0]))
    fit = app_scores(state, block.users, fold=used)
    vectors = state.vectors
    items, values = top_k(
        fit.scores,
        mask,
        k,
        left=fit.left,
        right=vectors.apps,
        longest=vectors.longest_app,
        exact=fit.exact,
        added=fit.added,
    )
    return Best(items[0], values[0], bool(fit.exact[0]), removed, _evidence(state, block, items[0]))


def _evidence(state: MatchState, block: Block, items: np.ndarray) -> Found:
    return strongest(state.app_ties, block.users, items[None]).take(0)


class Ahead:
    """The lists of one state, each made when it is first asked for. Safe to share between threads and processes.

    `identity` is what the state was loaded from: files of any other are taken away. Raises DiskFull.
    """

    def __init__(self, home: Home, state: MatchState, identity: str) -> None:
        self.state = state
        self._rules = [rule.name for rule in state.rules if "app" in rule.kinds]
        self._length = min(LENGTH, len(state.apps.ids))
        row = np.dtype(
            [
                ("values", np.float64, (self._length,)),
                ("items", np.int32, (self._length,)),
                *[(name, kind, (self._length,)) for name, kind in EVIDENCE.items()],
                ("removed", np.int32, (len(self._rules),)),
                ("shares", np.bool_),
            ],
            align=True,
        )
        rows = state.customers.n + 1
        # A byte for each list, whether it is made, stands before them all: looking for missing ones reads no list.
        self._from = -(-rows // mmap.PAGESIZE) * mmap.PAGESIZE
        size = self._from + rows * row.itemsize
        boot = BOOT.read_text() if BOOT.exists() else ""
        name = hashlib.sha256(f"{boot} {identity} {row} {rows}".encode()).hexdigest()[:32]
        folder = home.root / FOLDER
        with enough_disk(home.root):
            folder.mkdir(mode=0o700, exist_ok=True)
            self._path = folder / name
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                os.posix_fallocate(file, 0, size)  # a map over a full disk would kill
                self._map = mmap.mmap(file, size)
            finally:
                os.close(file)
        for other in folder.iterdir():
            if other != self._path:
                other.unlink(missing_ok=True)
        self._made = np.frombuffer(self._map, np.bool_, rows)
        lists = np.frombuffer(self._map, row, rows, self._from)
        self._items, self._values, self._shares = lists["items"], lists["values"], lists["shares"]
        self._removed = lists["removed"]
        self._found = [lists[name] for name in EVIDENCE]

    def covers(self, state: MatchState, block: Block, k: int) -> bool:
        """Whether the list of a block's single customer answers it: of this very state, with nothing said since."""
        user = block.users[0]
        if state is not self.state or k > self._length or len(block.used[1]) or len(block.paused[1]):
            return False
        if block.tired is not None and block.tired[0] != state.history.tired[user]:
            return False
        if block.channel < 0:
            return True
        if block.full is not None and block.full[block.channel]:
            return False
        return bool(state.channels.inbound[block.channel]) or not (block.quiet or state.customers.no_contact[user])

    def best(self, user: int, k: int) -> Best:
        """The best apps of the customer at position `user`, from the list, which is made where it is not yet."""
        if not self._made[user]:
            self._make(user)
        counts = zip(self._rules, self._removed[user].tolist(), strict=True)
        return Best(
            self._items[user, :k],
            self._values[user, :k],
            bool(self._shares[user]),
            {rule: count for rule, count in counts if count},
            Found(*[column[user, :k] for column in self._found]),
        )

    def missing(self) -> np.ndarray:
        """Positions without a list, int64: customers of the own network first, then numbers of others, and the unknown
        one."""
        missing = np.flatnonzero(~self._made)
        return missing[np.argsort(self.state.customers.off_net[missing], kind="stable")]

    def let_go(self) -> None:
        """Give the lists' pages back to the system, which has them in its cache: until they are read again, they are
        not this process's memory."""
        self._map.madvise(mmap.MADV_DONTNEED, self._from)

    @contextmanager
    def sweeping(self) -> Iterator[bool]:
        """Whether nobody else makes missing lists meanwhile: one process at a time is enough."""
        file = os.open(self._path, os.O_RDWR)
        try:
            taken = False
            with suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                taken = True
            yield taken
        finally:
            os.close(file)

    def _make(self, user: int) -> None:
        found = best(self.state, Block("app", np.array([user])), self._length)
        self._items[user], self._values[user], self._shares[user] = found.items, found.values, found.shares
        for name, column in zip(EVIDENCE, self._found, strict=True):
            column[user] = getattr(found.found, name)
        self._removed[user] = [found.removed.get(rule, 0) for rule in self._rules]
        self._made[user] = True  # last: who sees it sees the rest
