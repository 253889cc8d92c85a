"""The condition language: what it accepts, what it means, what it refuses and names."""

from __future__ import annotations

import contextlib
import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake.errors import BadValue
from loaders.conditions import Condition

TODAY = dt.date(2026, 5, 20)
FRAME = pa.table(
    {
        "city": ["Bonn", "Bad Homburg", None, "Ulm"],
        "star": pa.array([5, 3, None, 0], pa.int64()),
        "arpu": [10.5, 20.0, None, -1.0],
        "consent": [True, False, True, None],
        "status": ["active", "left", None, "barred"],
        "contract_until": pa.array([dt.date(2026, 6, 19), TODAY, None, dt.date(2025, 1, 1)]),
        "handset.os": ["ios", "android", None, "android"],
        "plan.monthly_fee": [9.99, 20.0, None, 0.0],
        "plan.excludes": [["a", "b"], [], None, ["c"]],
        "bill.month": ["2026-04", "2026-05", None, "2026-05"],
        "bill.mb": [500.0, 1.0, None, 0.0],
    }
)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", "0123"),
        ("city = Bonn", "0"),
        ('city = "Bad Homburg"', "1"),
        ("city != Bonn", "123"),
        ("not city = Bonn", "123"),
        ("city in (Bonn, Ulm)", "03"),
        ('city in ("Bad Homburg",Ulm)', "13"),
        ("city is empty", "2"),
        ("not city is empty", "013"),
        ("city < C", "01"),
        ("star >= 3", "01"),
        ("star = 3.0", "1"),
        ("star > 2.5", "01"),
        ("star < 5", "13"),
        ("star in (0, 5)", "03"),
        ("arpu <= -1", "3"),
        ("arpu = 20", "1"),
        ("consent = true", "02"),
        ("consent != TRUE", "13"),
        ("status = Active", "0"),
        ("contract_until = 2026-05-20", "1"),
        ("contract_until <= today + 30", "013"),
        ("contract_until < today+30", "13"),
        ("contract_until > today - 1 and contract_until < today +1", "1"),
        ("contract_until = today", "1"),
        ("contract_until in (today, today + 30)", "01"),
        ("handset.os = android", "13"),
        ("plan.monthly_fee > 9", "01"),
        ("plan.excludes = b", "0"),
        ("plan.excludes in (a, c)", "03"),
        ("plan.excludes is empty", "2"),
        ("bill.month >= 2026-05", "13"),
        ("bill.mb > 100 or city = Ulm", "03"),
        ("city = Bonn or city = Ulm and star = 5", "0"),  # and binds closer
        ("(city = Bonn or city = Ulm) and star = 0", "3"),
        ("not (city = Bonn or city is empty)", "13"),
        ("NOT city = Bonn AND star IN (0,3)", "13"),
        ("not not city=Bonn", "0"),
    ],
)
def test_what_a_condition_means(text: str, rows: str) -> None:
    mask = Condition.parse(text).mask(FRAME, TODAY)
    assert [str(i) for i in range(4) if mask[i]] == list(rows)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("cty = Bonn", "cty"),
        ("handset.colour = red", "handset.colour"),
        ("users.city = Bonn", "users.city"),
        ("number = 4915112345", "number"),  # a pseudonym compares with nothing
        ("person = x", "person"),
        ("bill.number = 1", "bill.number"),
        ("star = five", "star"),
        ('star = "5"', "star"),
        ("star = 2026-05-01", "star"),
        ("city = Bonn and birth_year > today", "birth_year"),
        ("contract_until = soon", "contract_until"),
        ("contract_until = 2026-02-30", "contract_until"),
        ("contract_until > today + x", "contract_until"),
        ("contract_until > today 30", "contract_until"),
        ("gender = x", "gender"),
        ("consent = yes", "consent"),
        ("consent < true", "consent"),
        ("plan.excludes > a", "plan.excludes"),
        ("bill.month = 5", "bill.month"),
        ("star in (1, x)", "star"),
        ("star in ()", "star"),
        ("star in (1", "star"),
        ("star in 1", "star"),
        ("star is full", "star"),
        ("star", "star"),
        ("star =", "star"),
        ("city = Bad Homburg", "goes on"),
        ("(city = Bonn", "bracket"),
        ("city = Bonn)", "goes on"),
        ("and city = Bonn", "and"),
        ("city = Bonn and", "field"),
        ('city = "Bonn', "character"),
        ("= Bonn", "field"),
        ("(" * 200 + "star = 1" + ")" * 200, "nested"),
    ],
)
def test_what_is_refused_is_named(text: str, named: str) -> None:
    with pytest.raises(BadValue) as caught:
        Condition.parse(text)
    assert named in caught.value.found
    assert caught.value.remedy


def test_the_fields_are_named_once_in_order() -> None:
    assert Condition.parse("star = 1 or handset.os = x and not star = 2").fields == ("star", "handset.os")


def test_a_frame_of_nobody() -> None:
    assert Condition.parse("plan.excludes = a or star > 1").mask(FRAME.slice(0, 0), TODAY).tolist() == []


TESTS = st.sampled_from([("star = 5", "0"), ("city is empty", "2"), ("arpu < 15", "03"), ("handset.os = ios", "0")])


@given(
    st.recursive(
        TESTS.map(lambda t: (t[0], set(t[1]))),
        lambda inner: st.one_of(
            inner.map(lambda t: (f"not ({t[0]})", set("0123") - t[1])),
            st.tuples(inner, inner).map(lambda p: (f"({p[0][0]}) and ({p[1][0]})", p[0][1] & p[1][1])),
            st.tuples(inner, inner).map(lambda p: (f"({p[0][0]}) or ({p[1][0]})", p[0][1] | p[1][1])),
        ),
        max_leaves=8,
    )
)
def test_joined_tests_are_sets(joined: tuple[str, set[str]]) -> None:
    mask = Condition.parse(joined[0]).mask(FRAME, TODAY)
    assert {str(i) for i in range(4) if mask[i]} == joined[1]


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(BadValue):
        Condition.parse(text)


def test_offers_with_a_bad_audience_are_quarantined_naming_rule_and_field(bench) -> None:
    bench.load(
        {
            "offers.csv": "offer,product,title,channels,audience\n"
            "a,p,T,sms,star >= 3\nb,p,T,sms,stars >= 3\nc,p,T,sms,star = many\nd,p,T,sms,\n"
        }
    )
    assert bench.rows("offers", "offer", "audience") == [("a", "star >= 3"), ("d", None)]
    assert bench.quarantine("offers") == [
        ("offers.csv", 3, "audience", "the field stars is unknown"),
        ("offers.csv", 4, "audience", "star is compared with a value of another type"),
    ]


def test_a_number_in_a_condition_is_not_repeated() -> None:
    for text in ("+49 (151) 1234567 = 1", "4915112345678x.mb = 1", "star 4915112345678"):
        with pytest.raises(BadValue) as caught:
            Condition.parse(text)
        assert "1234567" not in str(caught.value)


def test_more_reasons_than_a_batch_can_tell_apart_are_told_in_general(bench) -> None:
    rows = "".join(f"o{n},p,T,sms,field{n} = 1\n" for n in range(300))
    bench.load({"offers.csv": "offer,product,title,channels,audience\n" + rows})
    reasons = [reason for *_, reason in bench.quarantine("offers")]
    assert reasons[249:252] == ["the field field249 is unknown", "is no condition", "is no condition"]
    assert len(reasons) == 300
