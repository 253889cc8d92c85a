"""Segments: names from attributes, coarsened where few, everybody has one."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.dumbbell.attributes import Attribute, age_band, handset_brand, spend_tier, tastes, thirds, use_tier
from graph.dumbbell.categories import learn_categories
from graph.dumbbell.holdings import app_use
from graph.dumbbell.population import Population
from graph.dumbbell.segments import REST, Segments, assign_segments, coarsen, wanted_number

TODAY = dt.date(2026, 7, 1)


def attribute(labels, codes):
    return Attribute(tuple(labels), np.array(codes))


def names(found):
    return found.of_users().to_pylist()


def attributes(age, spend, favourite, brand=None, second=None):
    """All seven, those not given unknown."""
    unknown = [-1] * len(age)
    return [
        attribute(["young", "old"], age),
        attribute(["low", "high"], spend),
        attribute(["games", "news"], favourite),
        attribute(["also games", "also news"], second or unknown),
        attribute(["light", "heavy"], unknown),
        attribute(["Acme owners"], brand or unknown),
        attribute(["Berlin"], unknown),
    ]


def test_a_large_combination_keeps_all_its_attributes():
    found = coarsen(attributes([0] * 6 + [1] * 6, [1] * 6 + [0] * 6, [0] * 6 + [1] * 6), wanted=2, smallest=5)
    assert names(found) == ["young · high · games"] * 6 + ["old · low · news"] * 6


def test_nobody_has_no_segment():
    assert names(coarsen(attributes([], [], []), wanted=1, smallest=5)) == []


def test_a_small_combination_gives_up_spending_first_then_age():
    # four spenders and four savers: neither is five, together they are
    found = coarsen(attributes([0] * 8, [0] * 4 + [1] * 4, [0] * 8), wanted=4, smallest=5)
    assert set(names(found)) == {"young · games"}
    found = coarsen(attributes([0] * 4 + [1] * 4, [0, 0, 1, 1] * 2, [0] * 8), wanted=4, smallest=5)
    assert set(names(found)) == {"games"}


def test_without_taste_age_and_spending_remain_then_the_handset_then_the_rest():
    age = [0] * 5 + [-1] * 8
    spend = [0] * 5 + [-1] * 8
    brand = [-1] * 5 + [0] * 5 + [-1] * 3
    found = coarsen(attributes(age, spend, [-1] * 13, brand), wanted=9, smallest=3)
    assert names(found) == ["young · low"] * 5 + ["Acme owners"] * 5 + [REST] * 3


@given(st.lists(st.tuples(*[st.integers(-1, 1)] * 3), min_size=1, max_size=80), st.integers(1, 9))
def test_everybody_has_a_segment_and_there_are_never_more_than_wanted(rows, wanted):
    age, spend, favourite = zip(*rows, strict=True)
    found = coarsen(attributes(age, spend, favourite), wanted, smallest=5)
    assert len(found.codes) == len(rows)
    assert len(found.labels) <= wanted
    assert sorted(set(names(found))) == list(found.labels)
    for label, size in zip(found.labels, np.bincount(found.codes), strict=True):
        assert size >= min(5, len(rows)), label


@given(st.lists(st.tuples(*[st.integers(-1, 1)] * 3), min_size=1, max_size=40), st.randoms())
def test_a_name_does_not_depend_on_the_order_of_customers(rows, random):
    order = list(range(len(rows)))
    random.shuffle(order)
    columns = [list(c) for c in zip(*rows, strict=True)]
    shuffled = [[column[i] for i in order] for column in columns]
    straight = names(coarsen(attributes(*columns), 4, smallest=5))
    assert names(coarsen(attributes(*shuffled), 4, smallest=5)) == [straight[i] for i in order]


def test_the_number_of_segments_grows_with_the_operator():
    assert wanted_number(1) == 1
    assert wanted_number(300) < 20 < wanted_number(20_000) < 150
    assert 750 < wanted_number(2_200_000) < 850


@pytest.mark.parametrize(
    ("birth_year", "band"),
    [(2026, "under 18"), (2009, "under 18"), (2008, "18-24"), (1992, "25-34"), (1961, "65+"), (1906, "65+")],
)
def test_age_bands_are_of_the_age_reached_this_year(fill, birth_year, band):
    population = Population.read(fill(customers=[{"user": 1, "birth_year": birth_year}]))
    found = age_band(population, TODAY)
    assert found.labels[found.codes[0]] == band


@pytest.mark.parametrize("birth_year", [None, 2027, 1905])
def test_an_impossible_age_is_unknown(fill, birth_year):
    assert age_band(Population.read(fill(customers=[{"user": 1, "birth_year": birth_year}])), TODAY).codes[0] == -1


def test_spending_is_arpu_or_else_the_recent_bills_in_thirds(fill):
    lake = fill(
        customers=[{"user": 1, "arpu": 5.0}, {"user": 2}, {"user": 3, "arpu": 50.0}, 4],
        bills=[
            {"user": 2, "month": "2026-05", "fee": 10.0},
            {"user": 2, "month": "2026-06", "fee": 30.0},
            {"user": 2, "month": "2026-01", "fee": 900.0},  # over three months old
            {"user": 3, "month": "2026-06", "fee": 1.0},  # arpu is known: not looked at
        ],
    )
    found = spend_tier(lake, Population.read(lake), TODAY)
    assert [found.labels[c] if c >= 0 else None for c in found.codes] == [
        "low spend",
        "medium spend",
        "high spend",
        None,
    ]


def test_spending_that_is_the_same_for_all_tells_nobody_apart(fill):
    lake = fill(customers=[{"user": u, "arpu": 7.0} for u in range(1, 10)])
    assert set(spend_tier(lake, Population.read(lake), TODAY).codes) == {-1}


def test_the_favourite_stands_out_against_everybody_it_is_not_the_most_used(fill):
    rows = [{"user": u, "app": "chat", "at": "2026-06-01", "sessions": 100} for u in (1, 2, 3)]
    rows += [{"user": 3, "app": "chess", "at": "2026-06-02", "sessions": 60}]
    rows += [{"user": 4, "app": "chat", "at": "2026-06-02", "sessions": 0}]  # used all the same
    lake = fill(
        customers=[1, 2, 3, 4, 5],
        apps=[
            {"app": "chat", "name": "Chat", "category": "talk"},
            {"app": "chess", "name": "Chess", "category": "games"},
        ],
        app_usage=rows,
    )
    apps = app_use(lake, Population.read(lake))
    favourite, second = tastes(apps, learn_categories(lake, apps))
    assert favourite.labels == ("games", "talk")
    assert favourite.codes.tolist() == [1, 1, 0, 1, -1]
    assert second.text().to_pylist() == [None, None, "also talk", None, None]


def test_the_handset_is_the_one_in_use_today(fill):
    lake = fill(
        customers=[1, 2, 3],
        handsets=[{"handset": "a1", "brand": "Acme"}, {"handset": "z1", "brand": "Zeta"}, {"handset": "n"}],
        user_handsets=[
            {"user": 1, "handset": "a1", "since": "2026-01-01"},
            {"user": 1, "handset": "z1", "since": "2026-03-01"},
            {"user": 2, "handset": "a1", "since": "2026-01-01", "until": "2026-02-01"},
            {"user": 3, "handset": "n", "since": "2026-01-01"},
        ],
    )
    found = handset_brand(lake, Population.read(lake), TODAY)
    assert [found.labels[c] if c >= 0 else None for c in found.codes] == ["Zeta owners", None, None]


def test_customers_known_by_use_alone_get_segments_of_taste(fill):
    use = [{"user": u, "app": app, "at": "2026-06-01"} for u in range(1, 21) for app in ("a", "b", "c")]
    use += [{"user": u, "app": app, "at": "2026-06-01"} for u in range(21, 42) for app in ("x", "y", "z")]
    use += [{"user": 41, "app": "b", "at": "2026-06-01"}]
    lake = fill(customers=range(1, 42), app_usage=use)
    population = Population.read(lake)
    apps = app_use(lake, population)
    found = assign_segments(lake, population, apps, learn_categories(lake, apps), TODAY)
    assert names(found) == ["like: a"] * 20 + ["like: x"] * 21


def test_off_net_numbers_are_in_no_segment(fill):
    lake = fill(customers=[{"user": 1}, {"user": 2, "off_net": True}])
    population = Population.read(lake)
    assert len(population) == 1
    assert names(
        assign_segments(
            lake, population, app_use(lake, population), learn_categories(lake, app_use(lake, population)), TODAY
        )
    ) == [REST]


def test_too_few_other_customers_take_the_smallest_segment_in():
    found = coarsen(attributes([0] * 9 + [1] * 6 + [-1] * 2, [-1] * 17, [-1] * 17), wanted=9, smallest=5)
    assert names(found) == ["young"] * 9 + [REST] * 8


def test_many_alike_are_told_apart_by_their_second_taste():
    rows = attributes([0] * 10, [0] * 10, [0] * 10, second=[0] * 5 + [1] * 5)
    assert set(names(coarsen(rows, wanted=1, smallest=5))) == {"young · low · games"}
    both = {"young · low · games · also games", "young · low · games · also news"}
    assert set(names(coarsen(rows, wanted=2, smallest=5))) == both


def test_a_segment_of_the_last_run_stays_until_it_is_clearly_too_small():
    rows = attributes([0] * 9 + [1] * 12 + [-1] * 29, [-1] * 50, [-1] * 50)
    for former, expected in ((frozenset(), {"old", REST}), (frozenset({"young", REST}), {"young", REST})):
        found = coarsen(rows, wanted=1, smallest=5, former=former, former_least=10)
        if former:
            assert set(names(found)) == expected  # 9 of 10 will do for young, old lacks a quarter more than 10
        else:
            assert len(found.labels) == 1


def test_a_customer_leaves_a_third_only_well_past_its_bound():
    labels = ("low", "middle", "high")
    values = np.array([1.0, 2, 3, 10, 11, 12, 20, 21, 22])
    now = thirds(values, labels)
    assert now.text().to_pylist() == ["low"] * 3 + ["middle"] * 3 + ["high"] * 3
    was = pa.array(["low"] * 3 + ["high", "middle", "high"] + ["middle", "high", None])
    # bounds are 7.67 and 17.67: 12 is far below the upper one, 20 is far above; 10 likewise
    assert thirds(values, labels, was).text().to_pylist() == ["low"] * 3 + ["middle"] * 3 + ["high"] * 3
    near = np.array([1.0, 2, 3, 10, 11, 18.5, 20, 21, 22])
    assert thirds(near, labels).text()[5].as_py() == "middle"
    was = pa.array([None] * 5 + ["high"] + ["middle"] + [None] * 2)
    assert thirds(near, labels, was).text().to_pylist()[5:7] == ["high", "middle"]


def test_use_is_in_thirds_of_those_who_use_anything(fill):
    rows = [{"user": u, "app": "a", "at": "2026-06-01", "sessions": 10**u} for u in (1, 2, 3)]
    lake = fill(customers=[1, 2, 3, 4], app_usage=rows)
    found = use_tier(app_use(lake, Population.read(lake)))
    assert found.text().to_pylist() == ["light use", "medium use", "heavy use", None]


def run(fill, young, renamed=False):
    """Fifty customers, `young` of them players; the others read the news."""
    play = [{"user": u, "app": "chess", "at": "2026-06-01"} for u in range(1, young + 1)]
    read = [{"user": u, "app": "paper", "at": "2026-06-01"} for u in range(young + 1, 51)]
    lake = fill(
        customers=range(1, 51),
        apps=[
            {"app": "chess", "name": "Chess", "category": "gaming" if renamed else "games"},
            {"app": "paper", "name": "Paper", "category": "news"},
        ],
        app_usage=play + read,
    )
    population = Population.read(lake)
    apps = app_use(lake, population)
    found = assign_segments(lake, population, apps, learn_categories(lake, apps), TODAY)
    lake.write("segments", found.table(population))
    return found


def test_a_segment_keeps_its_label_where_its_category_gets_another_name(fill):
    assert set(run(fill, 30).labels) == {"games", "news"}
    found = run(fill, 29, renamed=True)
    assert found.labels == ("games", "news")
    assert found.names == ("gaming", "news")
    assert np.bincount(found.codes).tolist() == [29, 21]
    again = run(fill, 29, renamed=True)
    assert isinstance(again, Segments)
    assert (again.labels, again.names, again.codes.tolist()) == (found.labels, found.names, found.codes.tolist())
