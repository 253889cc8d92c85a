"""The grammar of conditions: text to a tree of tests, with every field and value checked by its feed column."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import NoReturn

from lake.errors import BadValue
from loaders.feeds import FEEDS, Column

TOKEN = re.compile(r'\s*(?:"((?:[^"]|"")*)"|(!=|<=|>=|=|<|>)|([(),])|([^\s"(),=<>!]+))')
NUMBER = re.compile(r"\+?\d(?:[ \-./()]*\d){6,}")
"""What may be someone's number, should one stand where a field or a value belongs: never repeated."""

GROUPS = {"": "users", "handset": "handsets", "plan": "products", "bill": "bills"}
DEEPEST = 50


@dataclass(frozen=True)
class Today:
    """The day a condition is evaluated on, plus or minus days."""

    days: int = 0


Value = str | float | bool | dt.date | Today


@dataclass(frozen=True)
class Test:
    """One comparison; `op` is a key of COMPARE, `!=`, `in` or `empty`."""

    __test__ = False  # no test case of pytest
    field: str
    op: str
    values: tuple[Value, ...] = ()


@dataclass(frozen=True)
class Not:
    part: Node


@dataclass(frozen=True)
class Both:
    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Either:
    parts: tuple[Node, ...]


Node = Test | Not | Both | Either


def parse(text: str) -> tuple[Node | None, tuple[str, ...]]:
    """The tree of a condition and the fields it names, once each in order; empty text is no test at all.

    Raises BadValue, naming the field, for an unknown field, a value of another type than the
    field's, or text that is no condition.
    """
    if not text.strip():
        return None, ()
    parser = _Parser(_tokens(text))
    root = parser.condition()
    if parser.peek() is not None:
        _refuse("the condition goes on after its end", "join tests by and, or")
    return root, tuple(dict.fromkeys(parser.fields))


def column_of(field: str) -> Column:
    """The feed column that a condition's field names. Raises BadValue for an unknown one."""
    group, _, name = field.rpartition(".")
    feed = FEEDS.get(GROUPS.get(group, ""))
    if feed is None or name not in feed.names or feed.column(name).type in ("number", "hashed"):
        _refuse(f"the field {field} is unknown", "use a column of users, or handset., plan., bill. and one of theirs")
    return feed.column(name)


def _refuse(found: str, remedy: str) -> NoReturn:
    raise BadValue(NUMBER.sub("(digits)", found), remedy)


Token = tuple[str, str]  # kind (quoted, op, mark, word) and text


def _tokens(text: str) -> list[Token]:
    tokens, at, text = [], 0, text.rstrip()
    while at < len(text):
        found = TOKEN.match(text, at)
        if found is None:
            _refuse(f"the condition cannot be read at character {at + 1}", "close quotes, use = != < <= > >=")
        quoted, op, mark, word = found.groups()
        kind = "quoted" if quoted is not None else "op" if op else "mark" if mark else "word"
        tokens.append((kind, quoted.replace('""', '"') if quoted is not None else op or mark or word))
        at = found.end()
    return tokens


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens, self.at, self.depth = tokens, 0, 0
        self.fields: list[str] = []

    def peek(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def word(self, *wanted: str) -> bool:
        """Take the next token if it is one of these words."""
        token = self.peek()
        if token is not None and token[0] == "word" and token[1].lower() in wanted:
            self.at += 1
            return True
        return False

    def mark(self, wanted: str) -> bool:
        if self.peek() == ("mark", wanted):
            self.at += 1
            return True
        return False

    def condition(self) -> Node:
        parts = [self.all()]
        while self.word("or"):
            parts.append(self.all())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def all(self) -> Node:
        parts = [self.each()]
        while self.word("and"):
            parts.append(self.each())
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def each(self) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            _refuse(f"the condition is nested more than {DEEPEST} deep", "write it flatter")
        if self.word("not"):
            node: Node = Not(self.each())
        elif self.mark("("):
            node = self.condition()
            if not self.mark(")"):
                _refuse("a bracket of the condition is not closed", "close it")
        else:
            node = self.test()
        self.depth -= 1
        return node

    def test(self) -> Test:
        token = self.peek()
        if token is None or token[0] != "word":
            _refuse("the condition lacks a field", "write field op value")
        self.at += 1
        name = token[1]
        column = column_of(name)
        self.fields.append(name)
        if self.word("is"):
            if not self.word("empty"):
                _refuse(f"after {name} is, empty is missing", "write `is empty`, or `not … is empty`")
            return Test(name, "empty")
        if self.word("in"):
            return Test(name, "in", self.values(name, column))
        token = self.peek()
        if token is None or token[0] != "op":
            _refuse(f"after {name} there is no comparison", "use = != < <= > >= in (…) or is empty")
        self.at += 1
        if token[1] not in ("=", "!=") and column.type in ("boolean", "list"):
            _refuse(f"{name} has no order, {token[1]} cannot be used with it", "use = or !=")
        return Test(name, token[1], (self.value(name, column),))

    def values(self, name: str, column: Column) -> tuple[Value, ...]:
        if not self.mark("("):
            _refuse(f"after {name} in there is no bracket", "write the values as (a, b)")
        values = [self.value(name, column)]
        while self.mark(","):
            values.append(self.value(name, column))
        if not self.mark(")"):
            _refuse(f"the values of {name} are not closed by a bracket", "close it")
        return tuple(values)

    def value(self, name: str, column: Column) -> Value:
        token = self.peek()
        if token is None or token[0] not in ("word", "quoted"):
            _refuse(f"{name} is compared with nothing", "write a value; text of several words in double quotes")
        self.at += 1
        kind, text = token
        if column.type == "date" and kind == "word" and text.lower().startswith("today"):
            return self.today(name, text[5:])
        return _value(name, column, text, quoted=kind == "quoted")

    def today(self, name: str, rest: str) -> Today:
        token = self.peek()
        while (
            re.fullmatch(r"[+\-−]?", rest)
            and token is not None
            and token[0] == "word"
            and (re.fullmatch(r"[+\-−]?\d*", token[1]))
        ):
            rest, self.at = rest + token[1], self.at + 1
            token = self.peek()
        if rest and not re.fullmatch(r"[+\-−]\d{1,5}", rest):
            _refuse(f"{name} is compared with a day that cannot be read", "write today, today + 30 or today - 30")
        return Today(int(rest.replace("−", "-")) if rest else 0)


def _value(name: str, column: Column, text: str, quoted: bool) -> Value:
    """A value of the column's type."""
    if column.type in ("integer", "decimal") and not quoted and re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", text):
        return float(text)
    if column.type == "date" and not quoted and re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        try:
            return dt.date.fromisoformat(text)
        except ValueError:
            pass  # refused below, with the type it should have
    if column.type == "boolean" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if column.type == "choice" and text.lower() in column.allowed:
        return text.lower()
    if column.type == "month" and re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text):
        return text
    if column.type in ("text", "id", "handset", "list"):
        return text
    wanted = {
        "integer": "a number",
        "decimal": "a number",
        "date": "a date (YYYY-MM-DD, or today ± N)",
        "boolean": "true or false",
        "month": "a month (YYYY-MM)",
        "choice": "one of " + ", ".join(column.allowed),
    }[column.type]
    _refuse(f"{name} is compared with a value of another type", f"compare it with {wanted}")
