"""API keys: random, shown once, kept as SHA-256 in HOME/keys.json (mode 0600)."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from api.stamp import Stamp, stamp
from lake.errors import AccessDenied, BadValue, HomeError, UnknownName
from lake.home import Home

SCOPES = ("match", "query", "explore", "admin")
"""What a key may do; `admin` is all of it."""

PREFIX = "db_"


@dataclass(frozen=True)
class Key:
    """A key as the API knows it, without its secret."""

    name: str
    scopes: tuple[str, ...]

    def may(self, scope: str) -> bool:
        return scope in self.scopes or "admin" in self.scopes


Rows = list[dict[str, Any]]


class KeyStore:
    """The keys of one home. Changes are seen by running servers with their next request."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._path = str(home.keys)  # asked for with every request
        self._read_at: Stamp | None = None
        self._rows: Rows = []
        self._keys: list[tuple[str, Key]] = []

    def add(self, name: str, scopes: Iterable[str]) -> str:
        """Make a key and return it, this once. Raises BadValue for a name in use or an unknown scope."""
        asked = list(dict.fromkeys(scopes))
        wrong = [scope for scope in asked if scope not in SCOPES]
        if wrong or not asked:
            raise BadValue(f"a key cannot have the scope {wrong[0]!r}" if wrong else "a key needs a scope",
                           f"the scopes are {', '.join(SCOPES)}")  # fmt: skip
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name) or re.search(r"\d{7,}", name):
            raise BadValue("a key's name is not usable", "use up to 64 letters, digits, dots, dashes, underscores")
        rows = self._load()
        if any(row["name"] == name for row in rows):
            raise BadValue(f"there is a key {name} already", "revoke it first, or take another name")
        key = PREFIX + secrets.token_urlsafe(32)
        made = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        self._store([*rows, {"name": name, "scopes": asked, "made": made, "sha256": _hash(key)}])
        return key

    def list(self) -> Rows:
        """Name, scopes and when made, of each key."""
        return [{"name": row["name"], "scopes": row["scopes"], "made": row["made"]} for row in self._load()]

    def revoke(self, name: str) -> None:
        """Take a key back. Raises UnknownName, listing those there are."""
        rows = self._load()
        kept = [row for row in rows if row["name"] != name]
        if len(kept) == len(rows):
            names = ", ".join(row["name"] for row in rows) or "none"
            raise UnknownName(f"there is no key {name!r}", f"the keys are {names}")
        self._store(kept)

    def check(self, key: str) -> Key:
        """The key's name and scopes. Raises AccessDenied for a wrong one; time does not depend on how wrong."""
        self._load()
        given, found = _hash(key), None
        for known, its in self._keys:
            if hmac.compare_digest(known, given):
                found = its
        if found is None:
            raise AccessDenied("the key is not known", "make one with `dumbbell key add NAME --scope match`")
        return found

    def _load(self) -> Rows:
        at = stamp(self._path)
        if at is None:
            self._read_at, self._rows, self._keys = None, [], []
        elif at != self._read_at:
            try:
                self._rows = json.loads(self._home.keys.read_text(encoding="utf-8"))["keys"]
                self._keys = [(row["sha256"], Key(row["name"], tuple(row["scopes"]))) for row in self._rows]
            except (ValueError, KeyError, TypeError):
                raise HomeError(
                    f"{self._home.keys} is not a list of keys", "take it away and make the keys again"
                ) from None
            self._read_at = at
        return self._rows

    def _store(self, rows: Rows) -> None:
        self._home.write_text(self._home.keys, json.dumps({"keys": rows}, indent=1), secret=True)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
