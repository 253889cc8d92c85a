"""The Copenhagen Networks Study (calls and messages of about 800 students, four weeks) as a feed folder.

    python benchmarks/copenhagen.py OUT [--data DIR]
    DUMBBELL_PERIOD=week dumbbell run OUT

DIR, or the variable DUMBBELL_DATA, holds `copenhagen`, `tacdb` and `phones_2025`; by default `../shared/data`
beside the checkout. What the feeds say that the study does not:

- The study gives seconds from its start. Here it starts on Monday, 2 September 2013, at midnight UTC, so that its 28
  days are four ISO weeks, 2013-W36 to 2013-W39.
- A call of -1 seconds was missed. One of 0 seconds was not answered either, by the feeds' own rule.
- The people's ids are their numbers; `users` names all of them, so that short numbers are customers.
- Nothing is known of their handsets: each gets one of the catalogue, by a digest of the id. Three in four get a type
  code of `tacdb`, one in four a model of `phones_2025`, which is younger than the study. There are no apps.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import hashlib
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

START = dt.datetime(2013, 9, 2, tzinfo=dt.UTC)
BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"
NEEDED: tuple[str, ...] = ("copenhagen/calls.csv", "copenhagen/sms.csv", "copenhagen/fb_friends.csv", "tacdb/tacdb.csv")
NEEDED += ("phones_2025/phones.csv",)


def data_folder(given: Path | None = None) -> Path | None:
    """Where the data lies: as given, as DUMBBELL_DATA says, or beside the checkout; None where it is not whole."""
    folder = given or Path(os.environ.get("DUMBBELL_DATA") or BESIDE)
    return folder if all((folder / name).exists() for name in NEEDED) else None


def write_feeds(data: Path, out: Path) -> dict[str, int]:
    """Write `users`, `handsets`, `user_handsets` and `calls` as CSV; returns the rows of each."""
    out.mkdir(parents=True, exist_ok=True)
    people = sorted(set(_people(data)), key=int)
    types, models = list(_types(data)), list(_models(data))
    held = [(number, _choose(number, types, models)) for number in people]
    since = START.date().isoformat()
    return {
        "users": _write(out / "users.csv", ["number"], ([number] for number in people)),
        "handsets": _write(
            out / "handsets.csv",
            ["handset", "brand", "model", "os", "screen_inches", "price", "released_on"],
            types + models,
        ),
        "user_handsets": _write(
            out / "user_handsets.csv", ["number", "handset", "since"], ([n, h, since] for n, h in held)
        ),
        "calls": _write(out / "calls.csv", ["caller", "callee", "at", "seconds", "kind"], _calls(data)),
    }


def _people(data: Path) -> Iterator[str]:
    for name in ("calls", "sms", "fb_friends"):
        for row in _rows(data / "copenhagen" / f"{name}.csv"):
            yield from row[:2] if name == "fb_friends" else row[1:3]


def _calls(data: Path) -> Iterator[list[str]]:
    for second, caller, callee, seconds in _rows(data / "copenhagen/calls.csv"):
        yield [caller, callee, _moment(second), seconds, "voice"]
    for second, sender, recipient in _rows(data / "copenhagen/sms.csv"):
        yield [sender, recipient, _moment(second), "0", "message"]


def _moment(second: str) -> str:
    return (START + dt.timedelta(seconds=int(second))).isoformat()


def _types(data: Path) -> Iterator[list[str]]:
    """Type codes of eight digits (seven have lost a leading zero), each once."""
    seen = set()
    for code, brand, model, *_ in _rows(data / "tacdb/tacdb.csv", skip=2):
        code = code.strip().zfill(8) if len(code.strip()) == 7 else code.strip()
        if re.fullmatch(r"\d{8}", code) and code not in seen:
            seen.add(code)
            yield [code, brand.strip(), model.strip(), "ios" if brand.strip() == "Apple" else "", "", "", ""]


def _models(data: Path) -> Iterator[list[str]]:
    """Models by a name of their own, each once, with system, screen, price in dollars and year."""
    seen = set()
    for row in _rows(data / "phones_2025/phones.csv", encoding="latin-1"):
        brand, model, screen, price, year = row[0], row[1], row[8], row[12], row[14]
        name = re.sub(r"[^a-z0-9]+", "-", f"{brand} {model}".lower().replace("+", " plus")).strip("-")
        if name not in seen:
            seen.add(name)
            system = "ios" if brand == "Apple" else "android"
            yield [name, brand, model, system, _number(screen), _number(price), f"{year}-01-01"]


def _number(text: str) -> str:
    found = re.search(r"\d+(\.\d+)?", text.replace(",", ""))
    return found.group() if found else ""


def _choose(number: str, types: list[list[str]], models: list[list[str]]) -> str:
    digest = int.from_bytes(hashlib.sha256(number.encode()).digest()[:8], "big")
    among = models if digest % 4 == 0 else types
    return among[digest // 4 % len(among)][0]


def _rows(path: Path, skip: int = 1, encoding: str = "utf-8-sig") -> Iterator[list[str]]:
    with open(path, encoding=encoding, newline="") as file:
        for number, row in enumerate(csv.reader(file)):
            if number >= skip and row:
                yield row


def _write(path: Path, header: list[str], rows: Iterable[list[str]]) -> int:
    written = 0
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for row in rows:
            writer.writerow(row)
            written += 1
    return written


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, help="the feed folder to write")
    parser.add_argument("--data", type=Path, help="folder with copenhagen, tacdb and phones_2025")
    given = parser.parse_args()
    data = data_folder(given.data)
    if data is None:
        print(f"the data is not there: name a folder that holds {', '.join(NEEDED)} with --data", file=sys.stderr)
        return 1
    print(", ".join(f"{name} {rows:,}" for name, rows in write_feeds(data, given.out).items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
