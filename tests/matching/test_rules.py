"""The rules as settings: what each may be told, what is refused and how it is said, and what each bars."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from embeddings.snapshot import Snapshot
from lake.errors import SettingError
from lake.home import Home
from lake.settings import load_settings
from lake.tables import Lake
from matching.bars import load_rules
from matching.batch import match_all
from matching.decision import MatchRequest
from matching.eligibility import MASKS
from matching.match import match
from matching.rules import BUILT_IN, read_rules
from matching.state import MatchState
from tests.matching.conftest import BINARY, TODAY, user, write_small_snapshot

Ruling = Callable[[str], MatchState]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def ruled(home: Home, lake: Lake) -> Ruling:
    """The state with rules as dumbbell.toml would have them."""
    write_small_snapshot(home)

    def load(toml: str) -> MatchState:
        settings = load_settings(home=home.root, today=TODAY, rules=rules(toml))
        return MatchState.load(home, settings, lake, Snapshot.current(home))

    return load


def rules(toml: str) -> dict[str, Any]:
    return tomllib.loads(toml).get("rules", {})


def offers(state: MatchState, i: int) -> list[str]:
    """What rules leave of the offers that run, for customer i; the audience aside."""
    return sorted(item.id for item in match(state, MatchRequest(user(i), "offer", 9)).items)


def apps(state: MatchState, i: int) -> list[str]:
    return sorted(item.id for item in match(state, MatchRequest(user(i), "app", 9)).items)


def test_without_settings_the_built_in_rules_stand_in_their_order() -> None:
    found = read_rules({})
    assert [rule.name for rule in found] == [rule.name for rule in BUILT_IN]
    assert [rule.name for rule in found if not rule.in_force] == ["quiet_hours", "golden_months", "arpu_tiers"]
    barring = {"barred", "contract_end", "golden_months", "arpu_tiers"}
    assert {rule.name for rule in BUILT_IN} == set(MASKS) | barring


WRONG = [
    ("[rules.golden_month]", "rule golden_month is no built-in rule: name your own rules [rules.own.NAME]"),
    ("[rules]\nbarred = false", "rule barred is False: write it as a table, [rules.barred]"),
    ("[rules.barred]\nmonths = 2", "rule barred: there is no months: it takes enabled, reason"),
    ('[rules.contract_end]\nmonths = "3"', "rule contract_end: months is 3: Input should be a valid integer"),
    (
        "[rules.contract_end]\nmonths = -1",
        "rule contract_end: months is -1: Input should be greater than or equal to 0",
    ),
    (
        '[rules.golden_months]\nproduct_kinds = ["tariff"]',
        "rule golden_months: product_kinds.0 is tariff: it should be one of plan, data_pack",
    ),
    ("[rules.consent]\nenabled = false", "rule consent: enabled is False: this rule cannot be switched off"),
    (
        "[rules.arpu_tiers]\ntiers = [{arpu_from = 20.0}, {arpu_from = 10.0}]",
        "rule arpu_tiers: the tiers' arpu_from should rise from one to the next",
    ),
    ("[rules.arpu_tiers]\ntiers = [{fee_to = 20.0}]", "rule arpu_tiers has no tiers.0.arpu_from: give one"),
    ("[rules]\nown = 3", "rules.own is no table: write each rule as [rules.own.NAME]"),
    ('[rules.own."No Gold"]\nreason = "x"', "rule No Gold cannot be called so: small letters"),
    ('[rules.own.consent]\nreason = "x"', "rule consent cannot be called so"),
    ('[rules.own.poor]\nnot_for = "arpu < 5"', "rule poor has no reason: give one"),
    ('[rules.own.poor]\nreason = "x"', "rule poor: give one condition: not_for (who is left out)"),
    ('[rules.own.poor]\nreason = "x"\nnot_for = "arpu < 5"\nonly_for = ""', "rule poor: give one condition"),
    ('[rules.own.poor]\nreason = "x"\nnot_for = "arpu < 5"\nstores = []', "rule poor: there is no stores: it takes"),
    (
        '[rules.own.feet]\nreason = "x"\nnot_for = "shoe_size > 40"',
        "rule feet, not_for: the field shoe_size is unknown: use a column of users",
    ),
    (
        '[rules.own.poor]\nreason = "x"\nonly_for = "arpu > much"',
        "rule poor, only_for: arpu is compared with a value of another type: compare it with a number",
    ),
    (
        '[rules.own.poor]\nreason = "x"\nonly_for = "contract_until < 5"',
        "rule poor, only_for: contract_until is compared with a value of another type: compare it with a date",
    ),
    (
        '[rules.own.poor]\nreason = "x"\nonly_for = "consent > false"',
        "rule poor, only_for: consent has no order, > cannot be used with it",
    ),
    ('[rules.own.poor]\nreason = "x"\nonly_for = "(arpu > 5"', "rule poor, only_for: a bracket of the condition"),
    ('[rules.own.poor]\nreason = "x"\nonly_for = "4915112345678 = 5"', "rule poor, only_for: the field (digits) is"),
    ("[rules.barred]\nreason = 4915112345678", "rule barred: reason is (digits): Input should be a valid string"),
]


@pytest.mark.parametrize(("toml", "says"), WRONG)
def test_what_cannot_be_used_is_refused_by_rule_and_field(toml: str, says: str) -> None:
    with pytest.raises(SettingError) as refused:
        read_rules(rules(toml))
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ('offers = ["o1", "o9"]', "offers has o9"),
        ('apps = ["chess"]', "apps has chess"),
        ('products = ["bronze"]', "products has bronze"),
        ('categories = ["cooking"]', "categories has cooking"),
    ],
)
def test_what_is_not_there_is_refused_once_something_of_its_kind_is(lake: Lake, named: str, says: str) -> None:
    told = rules(f'[rules.own.some]\nreason = "x"\nnot_for = ""\n{named}')
    with pytest.raises(SettingError, match=f"rule some: {says}, which is not there: name what has been loaded"):
        load_rules(told, lake)
    assert load_rules(told, Lake(lake.root / "empty"))[-1].name == "some"
    told["own"]["some"]["enabled"] = False
    assert not load_rules(told, lake)[-1].in_force


def test_nothing_is_loaded_with_a_rule_that_cannot_be_used(ruled: Ruling, home: Home) -> None:
    from api.server import serve

    wrong = '[rules.own.feet]\nreason = "x"\nnot_for = "shoe_size > 40"'
    with pytest.raises(SettingError, match="rule feet"):
        ruled(wrong)
    with pytest.raises(SettingError, match="rule feet"):
        serve(home, load_settings(home=home.root, rules=rules(wrong)), port=0)


def test_barred_customers_are_shown_nothing(ruled: Ruling, lake: Lake) -> None:
    amend(lake, "status", {0: "barred"})
    state = ruled("")
    decision = match(state, MatchRequest(user(0), "offer", 9))
    assert (decision.items, decision.removed, decision.nothing_because) == (
        [],
        {"barred": 3},
        "this customer is barred",
    )
    assert apps(state, 0) == []
    assert offers(ruled("[rules.barred]\nenabled = false"), 0) == ["o1", "o2"]
    state = ruled('[rules.barred]\nreason = "a bill is open"')
    assert match(state, MatchRequest(user(0), "app")).nothing_because == "a bill is open"


def test_a_new_contract_only_within_months_of_the_old_ones_end(ruled: Ruling, lake: Lake) -> None:
    """o1 is a plan. A contract to 1 September ends within three months of 1 June; one to the 2nd does not."""
    amend(lake, "contract_until", {0: dt.date(2026, 9, 1), 2: dt.date(2026, 9, 2), 4: dt.date(2026, 1, 1)})
    three = ruled('[rules.contract_end]\nproduct_kinds = ["plan"]')
    assert [offers(three, i) for i in (0, 2, 4)] == [["o1", "o2"], [], ["o1"]]
    decision = match(three, MatchRequest(user(2), "offer"))
    assert decision.removed == {"dates": 1, "audience": 1, "contract_end": 1}
    two = ruled('[rules.contract_end]\nproduct_kinds = ["plan"]\nmonths = 2')
    assert [offers(two, i) for i in (0, 2, 4)] == [["o2"], [], ["o1"]]
    assert next(r.reason for r in two.rules if r.name == "contract_end").endswith("for more than 2 months yet")
    assert offers(ruled(""), 2) == ["o1"]  # no offer is of a contract


def test_golden_months_after_a_change_of_handset(ruled: Ruling, lake: Lake) -> None:
    """Customer 0 changed five months ago, 4 four months ago, 1 long ago; of 2 nothing is known."""
    held = lake.read("user_handsets")
    lake.write("user_handsets", held.filter(pc.not_equal(held["user"], pa.scalar(user(2), BINARY))))
    told = '[rules.golden_months]\nenabled = true\nproduct_kinds = ["plan", "data_pack"]\nmonths = {}'
    five, four = ruled(told.format(5)), ruled(told.format(4))
    assert [offers(five, i) for i in (0, 1, 2, 4)] == [["o1", "o2"], [], ["o1"], ["o1"]]
    assert [offers(four, i) for i in (0, 1, 2, 4)] == [[], [], ["o1"], ["o1"]]
    assert match(four, MatchRequest(user(0), "offer")).removed == {"dates": 1, "golden_months": 2}
    packs = ruled('[rules.golden_months]\nenabled = true\nproduct_kinds = ["data_pack"]\nmonths = 4')
    assert offers(packs, 0) == ["o1"]


def test_fees_suit_what_customers_spend(ruled: Ruling, lake: Lake) -> None:
    """o1 costs 40 and o2 5 a month; customer 0 spends 20, 4 too, of 2 it is not known."""
    told = '[rules.arpu_tiers]\nproduct_kinds = ["plan", "data_pack"]\ntiers = [{}]'
    state = ruled(told.format("{arpu_from = 0.0, fee_to = 20.0}, {arpu_from = 25.0, fee_from = 30.0}"))
    assert [offers(state, i) for i in (0, 1, 2, 4)] == [["o2"], [], ["o1"], []]
    assert match(state, MatchRequest(user(1), "offer")).removed == {"dates": 1, "excludes": 1, "arpu_tiers": 1}
    assert offers(ruled(told.format("{arpu_from = 20, fee_from = 10.0, fee_to = 40}")), 0) == ["o1"]
    assert offers(ruled(told.format("{arpu_from = 20.01, fee_to = 1.0}")), 0) == ["o1", "o2"]  # in no tier


def test_an_own_rule_is_for_some_customers_and_some_items(ruled: Ruling) -> None:
    """Without rules: customer 0 is shown o1 and o2, chat, game and radio; 2 is shown o1; an unknown number o1."""

    def of(what: str) -> MatchState:
        return ruled(f'[rules.own.mine]\nreason = "so it is"\n{what}')

    bonn = of('not_for = "city = Bonn"\noffers = ["o1"]')
    assert [offers(bonn, i) for i in (0, 2)] == [["o2"], ["o1"]]
    assert match(bonn, MatchRequest(user(0), "offer")).removed == {"dates": 1, "mine": 1}
    assert apps(bonn, 0) == ["chat", "game", "radio"]
    assert offers(of('only_for = "city = Bonn"\nproducts = ["gold"]'), 2) == []
    assert offers(of('not_for = ""\nproduct_kinds = ["plan"]'), 0) == ["o2"]
    assert offers(of('not_for = "arpu >= 20"\ncategories = ["plans"]'), 0) == ["o2"]
    talk = of('not_for = "handset.os = Android"\ncategories = ["talk"]\noffers = ["o2"]')
    assert (apps(talk, 0), offers(talk, 0)) == (["game"], ["o1"])
    assert apps(of('not_for = ""\napps = ["game"]\nkinds = ["app"]'), 0) == ["chat", "radio"]
    only_apps = of('not_for = "plan.monthly_fee = 10"\nkinds = ["app"]')
    assert (apps(only_apps, 0), offers(only_apps, 0)) == ([], ["o1", "o2"])
    said = match(only_apps, MatchRequest(user(0), "app")).nothing_because
    assert said == "so it is (this removed 3 of 5 apps)"
    assert apps(of('enabled = false\nnot_for = ""'), 0) == ["chat", "game", "radio"]


def test_an_unknown_number_meets_no_condition(ruled: Ruling) -> None:
    for told, shown in (('not_for = "arpu is empty"', ["o1"]), ('only_for = "arpu is empty"', [])):
        state = ruled(f'[rules.own.mine]\nreason = "x"\n{told}')
        assert sorted(item.id for item in match(state, MatchRequest(None, "offer")).items) == shown


def test_one_decision_and_all_obey_the_same_rules(ruled: Ruling) -> None:
    state = ruled(
        '[rules.golden_months]\nenabled = true\nproduct_kinds = ["data_pack"]\nmonths = 4\n'
        '[rules.own.quiet]\nreason = "x"\nnot_for = "arpu > 25"\n'
        '[rules.own.talk]\nreason = "y"\nonly_for = "city = Bonn"\ncategories = ["talk"]\n'
    )
    for kind in ("app", "offer"):
        rows = match_all(state, kind, 9)
        together = sorted(zip(rows["user"].to_pylist(), rows["item"].to_pylist(), strict=True))
        alone = [(user(i), item.id) for i in range(6) for item in match(state, MatchRequest(user(i), kind, 9)).items]
        assert together == sorted(alone)
        assert together


def test_the_page_shows_rules_that_can_be_used() -> None:
    blocks = re.findall(r"^```toml\n(.*?)^```$", (ROOT / "docs" / "operator.md").read_text(), re.M | re.S)
    found = read_rules(rules("\n".join(blocks)))
    assert sum(rule.in_force for rule in found) > len(BUILT_IN)


def amend(lake: Lake, column: str, values: dict[int, Any]) -> None:
    """Give some customers another value in a column of users."""
    table = lake.read("customers")
    place = table.column_names.index(column)
    new = [values.get(i, old) for i, old in enumerate(table[column].to_pylist())]
    lake.write("customers", table.set_column(place, column, pa.array(new, table.schema.field(column).type)))
