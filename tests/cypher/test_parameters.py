"""Typed parameters: from the command line and from JSON, and what is said of a wrong one."""

import datetime as dt
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cypher.catalogue import Template
from cypher.header import Parameter
from cypher.parameters import parse_json, parse_options
from lake.errors import BadValue, UnknownName

TODAY = dt.date(2026, 7, 1)
USER = str(uuid.UUID(int=7))
NUMBER = "4915112345678"


def template(*parameters: Parameter) -> Template:
    return Template("one", "group", "t", "p", parameters, (), "RETURN 1", "")


def one(kind: str, **more: Any) -> Template:
    return template(Parameter("x", kind, "X.", **more))


@pytest.mark.parametrize(
    ("kind", "text", "typed"),
    [
        ("text", "a=b", "a=b"),
        ("integer", "12", 12),
        ("number", "1.5", 1.5),
        ("boolean", "true", True),
        ("date", "2026-05-31", dt.date(2026, 5, 31)),
        ("user", USER.upper(), USER),
        ("list of text", "a, b,", ["a", "b"]),
        ("list of integers", "1,2", [1, 2]),
        ("list of users", USER, [USER]),
    ],
)
def test_texts_become_typed(kind: str, text: str, typed: Any) -> None:
    assert parse_options(one(kind), [f"x={text}"], TODAY) == {"x": typed}


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("integer", "12", "a whole number"),
        ("integer", True, "a whole number"),
        ("integer", 2**63, "a whole number"),
        ("number", "1", "a number"),
        ("number", float("nan"), "a number"),
        ("boolean", 1, "true or false"),
        ("date", "31.05.2026", "a date like"),
        ("date", 20260531, "a date like"),
        ("text", 1, "text"),
        ("text", "\ud800", "text"),
        ("user", NUMBER, "a pseudonym of 36 characters"),
        ("list of users", [NUMBER], "a list of pseudonyms"),
        ("list of text", "a", "a list of texts"),
    ],
)
def test_a_wrong_value_is_refused_by_name_and_not_repeated(kind: str, value: Any, expected: str) -> None:
    with pytest.raises(BadValue, match=f"parameter x is not {expected}") as caught:
        parse_json(one(kind), {"x": value}, TODAY)
    assert NUMBER not in str(caught.value)


def test_defaults_and_today() -> None:
    parameters = template(
        Parameter("today", "date", "T.", required=False, default="today"),
        Parameter("limit", "integer", "L.", required=False, default=10, lowest=1, highest=20),
    )
    assert parse_json(parameters, {"limit": None}, TODAY) == {"today": TODAY, "limit": 10}
    with pytest.raises(BadValue, match="parameter limit is not a whole number from 1 to 20"):
        parse_json(parameters, {"limit": 0}, TODAY)


def test_allowed_values() -> None:
    kinds = one("text", values=("app", "product"))
    assert parse_json(kinds, {"x": "app"}, TODAY) == {"x": "app"}
    with pytest.raises(BadValue, match="not one of app, product"):
        parse_json(kinds, {"x": "offer"}, TODAY)


def test_missing_unknown_and_twice() -> None:
    with pytest.raises(BadValue, match="needs the parameter x"):
        parse_json(one("text"), {}, TODAY)
    with pytest.raises(UnknownName, match="has no parameter 'y': it has x"):
        parse_json(one("text"), {"y": 1}, TODAY)
    with pytest.raises(BadValue, match="x is given twice"):
        parse_options(one("text"), ["x=1", "x=2"], TODAY)
    with pytest.raises(BadValue, match="name=value"):
        parse_options(one("text"), ["x"], TODAY)


def test_a_list_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text(f"{USER}\n\n{USER}\n")
    assert parse_options(one("list of users"), [f"x=@{path}"], TODAY) == {"x": [USER, USER]}
    with pytest.raises(BadValue, match="the file of parameter x cannot be read"):
        parse_options(one("list of users"), [f"x=@{tmp_path / 'absent'}"], TODAY)


def test_json_reads_no_file(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text(USER)
    with pytest.raises(BadValue):
        parse_json(one("list of users"), {"x": f"@{path}"}, TODAY)


@given(
    st.sampled_from(["text", "integer", "number", "boolean", "date", "user", "list of text", "list of users"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    ),
)
def test_any_json_is_typed_or_refused(kind: str, value: Any) -> None:
    try:
        parse_json(one(kind), {"x": value}, TODAY)
    except BadValue as error:
        assert "parameter x" in str(error)  # noqa: PT017
