"""How often a key may ask: a token bucket a key, shared by all workers of the home.

A bucket of `burst` tokens fills with `rate` tokens a second, and each request takes one. It is kept as one number, the
moment at which it will be full again (the generic cell rate algorithm of ATM, ITU-T I.371, which allows the same
requests): a request moves that moment by 1 / rate, and is refused where this would be more than burst / rate ahead.
The moments lie in `HOME/limits`, a small file that every worker maps; a lock on it makes each step whole.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import struct
import time

from lake.home import Home, enough_disk

FILE = "limits"
SLOT = struct.Struct("<Qd")
"""A key's hash and the moment (monotonic seconds of this machine) at which its bucket is full."""
SLOTS, WINDOW = 4096, 8
"""A key has one of WINDOW slots from where its hash points; an unused bucket is full, so its slot may be another's."""


class Limits:
    """The buckets of one home. To be used from one thread; other processes may use the same home.

    `take(key)` gives 0.0 where the request may pass, else the seconds until one more may.
    """

    def __init__(self, home: Home, rate: float, burst: int) -> None:
        self._step = 1 / rate if rate else 0.0
        self._most = burst * self._step
        self._places: dict[str, tuple[int, int]] = {}
        if rate:
            with enough_disk(home.root):
                self._file = os.open(home.root / FILE, os.O_RDWR | os.O_CREAT, 0o600)
                if os.fstat(self._file).st_size != SLOTS * SLOT.size:
                    os.posix_fallocate(self._file, 0, SLOTS * SLOT.size)
            self._map = mmap.mmap(self._file, SLOTS * SLOT.size)

    def take(self, key: str, now: float | None = None) -> float:
        """Take a token of this key, at monotonic second `now`."""
        if not self._step:
            return 0.0
        hash_, first = self._places.get(key) or self._place(key)
        now = time.monotonic() if now is None else now
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            at, full = self._find(hash_, first, now)
            after = max(full, now) + self._step
            wait = after - now - self._most
            if wait > 1e-9:
                return wait
            SLOT.pack_into(self._map, at, hash_, after)
            return 0.0
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        if self._step:
            self._map.close()
            os.close(self._file)

    def _find(self, hash_: int, first: int, now: float) -> tuple[int, float]:
        """Where the key's slot is, and when its bucket is full; a slot nobody needs, where it has none yet.

        Where all of its slots are in use by others it shares the first: too strict rather than too lax.
        """
        idle = -1
        for i in range(WINDOW):
            at = (first + i) % SLOTS * SLOT.size
            whose, full = SLOT.unpack_from(self._map, at)
            if full > now + self._most + 1:  # of before the machine's last start, or of other settings
                full = now
            if whose == hash_:
                return at, full
            if idle < 0 and full <= now:
                idle = at
        return (idle, now) if idle >= 0 else (first * SLOT.size, SLOT.unpack_from(self._map, first * SLOT.size)[1])

    def _place(self, key: str) -> tuple[int, int]:
        hash_ = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little") | 1  # never 0, an empty slot's
        self._places[key] = hash_, hash_ // 2 % SLOTS
        return self._places[key]
