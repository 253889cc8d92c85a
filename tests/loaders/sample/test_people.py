"""Numbers, roles, places and calls as records."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

Read = Callable[[str], pl.DataFrame]


def test_numbers_are_fictitious_and_only_recycled_ones_come_twice(read: Read) -> None:
    numbers = read("users")["number"]
    assert numbers.str.contains(r"^9991\d{8}$").all()
    recycled = read("truth/recycled")
    assert recycled.height > 0
    twice = numbers.filter(numbers.is_duplicated()).unique().sort()
    assert twice.to_list() == recycled["number"].sort().to_list()
    parties = pl.concat([read("calls")["caller"], read("calls")["callee"]]).unique()
    shapes = r"^(999[123]\d{8}|\d{3,6}|[A-Za-z]+)$"
    assert parties.str.contains(shapes).all()


def test_a_recycled_number_is_given_on_after_sixty_days(read: Read) -> None:
    users = read("users").join(read("truth/recycled"), on="number")
    former = users.filter(pl.col("account") == pl.col("former_account"))
    later = users.filter(pl.col("account") == pl.col("account_right"))
    both = former.join(later, on="number", suffix="_later")
    assert both.height == read("truth/recycled").height
    gap = both["activated_on_later"].str.to_date() - both["left_on"].str.to_date()
    assert gap.dt.total_days().min() >= 60  # type: ignore[operator]


def test_nothing_happens_before_a_number_is_in_use_or_after(read: Read) -> None:
    users = read("users").filter(~pl.col("number").is_duplicated()).select("number", "activated_on", "left_on")
    for feed, party in (("calls", "caller"), ("calls", "callee"), ("app_usage", "number"), ("touches", "number"),
                        ("responses", "number"), ("web_visits", "number")):  # fmt: skip
        events = read(feed).join(users, left_on=party, right_on="number").with_columns(pl.col("at").str.slice(0, 10))
        assert events.filter(pl.col("at") < pl.col("activated_on")).is_empty(), feed
        assert events.filter(pl.col("at") >= pl.col("left_on")).is_empty(), feed


def test_second_numbers_share_person_and_taste(read: Read) -> None:
    persons = read("truth/persons")
    users = read("users").unique("number", keep="none").select("number", "person")
    pairs = persons.join(users, on="number").join(users, left_on="first_number", right_on="number", suffix="_first")
    assert pairs.height > 20
    assert (pairs["person"] == pairs["person_first"]).all()
    tastes = read("truth/tastes").select("number", "games", "video").unique("number", keep="none")
    pairs = persons.join(tastes, on="number").join(tastes, left_on="first_number", right_on="number", suffix="_first")
    assert (pairs["games"] == pairs["games_first"]).all()


def test_silent_customers_never_call_and_idle_ones_do_nothing(read: Read) -> None:
    truth = read("truth/customers")
    calls = read("calls")
    silent = truth.filter(pl.col("silent") == "true")
    assert silent.height > 20
    parties = pl.concat([calls["caller"], calls["callee"]]).unique()
    assert not silent["number"].is_in(parties.implode()).any()
    idle = truth.filter(pl.col("idle") == "true")
    assert idle.height > 0
    assert not idle["number"].is_in(read("app_usage")["number"].unique().implode()).any()


def test_calls_show_every_case_a_reader_must_know(read: Read) -> None:
    calls = read("calls")
    assert calls["record"].value_counts().height == 3  # out, in, empty
    assert calls.filter(pl.col("caller") == pl.col("callee")).height > 0
    assert calls.filter(pl.col("caller").str.contains("[A-Z]")).height > 0
    assert calls.filter(pl.col("answered") == "false").height > 0
    parts = calls.drop_nulls("call").group_by("call").agg(pl.len(), pl.col("caller").n_unique())
    assert parts.height > 0
    assert (parts["len"] == 2).all()
    assert (parts["caller"] == 1).all()


def test_hotlines_are_called_by_hundreds_and_hardly_call(read: Read) -> None:
    lines = read("truth/services")["number"]
    calls = read("calls")
    to, back = (
        calls.filter(pl.col("callee").is_in(lines.implode())),
        calls.filter(pl.col("caller").is_in(lines.implode())),
    )
    assert to["callee"].n_unique() == len(lines)
    assert to["caller"].n_unique() > 1000
    assert back.height < 0.05 * to.height


def test_night_calls_come_from_the_rest_cell(read: Read) -> None:
    calls = read("calls").filter((pl.col("record") == "out") & pl.col("cell").is_not_null())
    calls = calls.filter(pl.col("at").str.slice(11, 2).is_in(["23", "00", "01", "02", "03", "04", "05"]))
    places = read("truth/places").unique("number", keep="none")
    joined = calls.join(places, left_on="caller", right_on="number")
    assert joined.height > 200
    assert (joined["cell"] == joined["rest_cell"]).mean() > 0.9  # type: ignore[operator]


def test_fakes_show_in_their_calls(read: Read) -> None:
    fakes = read("truth/fakes")
    calls = read("calls")
    boxes = fakes.filter(pl.col("kind") == "sim_box")["number"]
    out = calls.filter(pl.col("caller").is_in(boxes.implode())).group_by("caller").agg(pl.col("callee").n_unique())
    assert out["callee"].min() > 100  # type: ignore[operator]
    assert not fakes["number"].is_in(read("app_usage")["number"].implode()).any()
