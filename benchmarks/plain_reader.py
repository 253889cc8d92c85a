"""The feeds' rules once more, a row at a time in plain Python: what the readers are compared with.

Slow and short on purpose: `csv` splits the records, `datetime` and `zoneinfo` know the calendar, and nothing is shared
with the readers but the declarations of the feeds.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from lake.errors import BadValue
from loaders.conditions import Condition
from loaders.feeds import FEEDS, Column

BAD, NOBODY = object(), object()
UTC = dt.UTC
csv.field_size_limit(1 << 30)


class Refused(Exception):
    """The whole file would be refused."""


@dataclass
class Plain:
    """What a file comes to: the lake's rows (numbers as digits), and the line and column of each bad row."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    bad: list[tuple[int, str | None]] = field(default_factory=list)
    read: int = 0
    dropped: int = 0
    withheld: int = 0


def read_csv(feed: str, raw: bytes, *, encoding: str = "utf-8", zone: str = "UTC", month: str | None = None) -> Plain:
    """A CSV file's bytes. Raises Refused."""
    records = list(split(decoded(raw, encoding)))
    header = [name.strip() for name in records[0][1]] if records else []
    if records and "\0" in records[0][1][0]:
        raise Refused  # as UTF-16 begins
    for column in FEEDS[feed].columns:
        if header.count(column.name) > 1 or (column.required and column.name not in header):
            raise Refused
    found = Plain()
    for line, cells in records[1:]:
        found.read += 1
        if len(cells) != len(header):
            found.bad.append((line, None))
            continue
        judge(found, feed, line, dict(zip(header, cells, strict=True)), zone, month)
    return found


def decoded(raw: bytes, encoding: str) -> str:
    """The text; a byte order mark of this encoding is no part of it."""
    mark = "\ufeff".encode(encoding)
    if not raw.startswith(mark) and raw.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise Refused
    try:
        text = raw.removeprefix(mark).decode(encoding)
    except UnicodeDecodeError:
        raise Refused from None
    if encoding == "gb18030":
        try:
            other = raw.decode("utf-8")
        except UnicodeDecodeError:
            return text
        if sum(sign > "\u07ff" for sign in other) >= 3:
            raise Refused  # plainly UTF-8
    return text


def split(text: str) -> list[tuple[int, list[str]]]:
    """Records with the line that each starts on; blank lines are none. Raises Refused for an open quote."""
    found, line, start, i = [], 1, 0, 0
    quoted, fresh = False, True

    def ended(end: int) -> None:
        if end > start:  # newlines inside a record are in quotes
            (cells,) = csv.reader(io.StringIO(text[start:end], newline=""))
            found.append((line - text.count("\n", start, end), cells))

    while i < len(text):
        sign = text[i]
        if quoted:
            line += sign == "\n"
            if sign == '"' and text[i + 1 : i + 2] == '"':
                i += 1
            elif sign == '"':
                quoted = False
        elif sign in "\r\n":
            ended(i)
            i += text[i : i + 2] == "\r\n"
            line, start, fresh = line + 1, i + 1, True
        else:
            quoted, fresh = sign == '"' and fresh, sign == ","
        i += 1
    if quoted:
        raise Refused
    ended(len(text))
    return found


def judge(found: Plain, feed: str, line: int, cells: dict[str, str], zone: str, month: str | None) -> None:
    """Take one row, or count why it is not taken."""
    declared = FEEDS[feed]
    row: dict[str, Any] = {}
    complaint, dropped, withheld = None, 0, False
    for column in declared.columns:
        text = cells.get(column.name, "")
        value = parsed(column, text, zone)
        party = feed == "calls" and column.name in ("caller", "callee")
        if party and (value is NOBODY or value is None):
            withheld, value = True, None
        elif value is NOBODY:
            value = BAD
        lacking = column.required and value is None and not party
        if complaint is None and (lacking or (value is BAD and (column.required or column.type == "condition"))):
            complaint = column.name
        elif value is BAD and not column.required:
            dropped += 1
        if value is BAD:
            value = None
        if column.type in ("moment", "date or moment") and value is not None:
            row["day"], row["hour"] = value[1], value[2]
            value = value[0]
        if declared.event and value is None and column.default is not None:
            value = column.default
        row[column.lake_name] = value
    if feed == "calls":
        row["seconds"] = max(0, row["seconds"])
        if row["answered"] is None:
            row["answered"] = row["kind"] == "message" or row["seconds"] > 0
    if complaint is None and feed == "users" and row["account"] is not None and row["activated_on"] is None:
        complaint = "activated_on"
    if complaint is None and feed == "url_rules" and not is_pattern(row["pattern"]):
        complaint = "pattern"
    if complaint is None and feed == "url_rules" and not any(row[name] for name in ("app", "tag", "content")):
        complaint = "app"
    if complaint is None and month is not None and not withheld and str(row["day"])[:7] != month:
        complaint = "at"
    if complaint is not None:
        found.bad.append((line, complaint))
    elif withheld:
        found.withheld += 1
    else:
        found.dropped += dropped
        found.rows.append(row)


def parsed(column: Column, text: str, zone: str) -> Any:
    """A cell's value, None where empty, BAD; NOBODY for text that names no number."""
    if column.type == "number":
        return number(text)
    text = text.strip()
    if not text:
        return None
    match column.type:
        case "date":
            return date(text)
        case "moment" | "date or moment":
            return moment(text, zone, dates=column.type != "moment")
        case "month":
            return text if re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text) else BAD
        case "integer":
            return bounded(column, int(text.split(".")[0])) if re.fullmatch(r"-?[0-9]{1,18}(\.0*)?", text) else BAD
        case "decimal":
            form = r"[+-]?([0-9]{1,300}(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,2})?"
            return bounded(column, float(text)) if re.fullmatch(form, text) else BAD
        case "boolean":
            return {"true": True, "false": False}.get(ascii_lower(text), BAD)
        case "choice":
            return ascii_lower(text) if ascii_lower(text) in column.allowed else BAD
        case "list":
            return [part.strip() for part in text.split(";") if part.strip()] or BAD
        case "handset":
            digits = re.sub(r"[ \-./]", "", text)
            return digits[:8] if re.fullmatch("[0-9]{14,16}", digits) else text
        case "url":
            tidied = "".join(host_and_path(text))
            return tidied if re.match(r"[^/\s]", tidied) else BAD
        case "condition":
            try:
                Condition.parse(text)
            except BadValue:
                return BAD
    return text


def host_and_path(text: str) -> tuple[str, str]:
    bare = re.sub(r"^[A-Za-z][A-Za-z0-9+.\-]*://", "", text)
    bare = re.sub(r"^[^/@]*@", "", re.split("[?#]", bare)[0])
    host, slash, path = bare.partition("/")
    return ascii_lower(host), slash + path


def is_pattern(text: str) -> bool:
    host = re.sub(r":[0-9]*\Z", "", host_and_path(text)[0]).rstrip(".")
    return re.fullmatch(r"(\*\.)?[^*\t\n\f\r .][^*\t\n\f\r ]*", host) is not None


def ascii_lower(text: str) -> str:
    return text.encode().lower().decode()


def bounded(column: Column, value: float) -> Any:
    if abs(value) == float("inf"):
        return BAD
    low, high = column.low, column.high
    return BAD if (low is not None and value < low) or (high is not None and value > high) else value


def number(text: str) -> Any:
    if not text:
        return None
    bare = re.sub(r"[ \t()\-./\u00a0]", "", text)
    digits = bare.removeprefix("+")
    if re.fullmatch("[0-9]*", digits) is None or not digits:
        return NOBODY
    if digits == bare and len(digits) > 8 and digits.startswith("00"):
        digits = digits[2:]
    return digits if len(digits) <= 15 else BAD


def date(text: str) -> Any:
    found = re.fullmatch(r"([0-9]{4}-[0-9]{2}-[0-9]{2})([Tt ]00:00:00\.000000)?", text)
    try:
        return dt.date.fromisoformat(found[1]) if found else BAD
    except ValueError:
        return BAD


CLOCK = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2})(:[0-9]{2})?([.,][0-9]+)?([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)?"
)


def moment(text: str, zone: str, *, dates: bool) -> Any:
    """(UTC without zone, local day, local hour), or BAD."""
    try:
        if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            if not dates:
                return BAD
            given, dated = dt.datetime.fromisoformat(text), True
        else:
            found = CLOCK.fullmatch(text)
            if found and not (found[4] and not found[3]):
                day, minutes, seconds, fraction, offset, _ = found.groups()
                text = f"{day}T{minutes}{seconds or ''}" + (f".{fraction[1:7]:0<6}" if fraction else "")
                text += (offset or "").upper()
            elif not any(mark in text for mark in "Tt "):
                return BAD
            given, dated = dt.datetime.fromisoformat(text), False
        if given.tzinfo is None:
            utc = given.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
            if utc.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != given and not dated:
                return BAD  # the clock skips it
            local = given
        else:
            utc = given.astimezone(UTC)
            local = utc.astimezone(ZoneInfo(zone))
    except (ValueError, OverflowError):
        return BAD
    seen = given if given.tzinfo is None else utc.replace(tzinfo=None)
    if not dt.datetime(1970, 1, 1) <= seen < dt.datetime(2200, 1, 1):
        return BAD
    return utc.replace(tzinfo=None), local.date(), None if dated else local.hour


def latest(feed: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of a keyed feed that stand: the last of each key. All rows of an event feed."""
    if feed == "users":
        return holders(rows)
    key = FEEDS[feed].key
    return list({tuple(row[name] for name in key): row for row in rows}.values()) if key else rows


def holders(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of `users` that stand, by number and account."""
    numbers: dict[Any, dict[Any, dict[str, Any]]] = {}
    for row in rows:
        held = numbers.setdefault(row["user"], {})
        if row["account"] is None and held and None not in held:  # about the current customer
            now = max(held.values(), key=lambda other: other["activated_on"])
            row = {**row, **{name: now[name] for name in ("account", "activated_on")}}
        held.pop(None, None)  # whoever was there without an account is who now comes, with or without one
        for account in [a for a, other in held.items() if other["activated_on"] == row["activated_on"]]:
            del held[account]
        held[row["account"]] = row
    return [row for held in numbers.values() for row in held.values()]
