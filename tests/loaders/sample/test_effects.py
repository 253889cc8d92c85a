"""The truth is in the feeds: what was planted can be seen, on average, where it should be, and only there."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

Read = Callable[[str], pl.DataFrame]
MONTHS = ["2026-01", "2026-02", "2026-03", "2026-04", "2026-05", "2026-06", "2026-07"]


def before_leaving(leavers: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """`table` (number, part, …) of leavers, with `ahead`: months until the one of leaving."""
    joined = leavers.join(table, on="number")
    order = {name: i for i, name in enumerate(MONTHS)}
    month, part = (pl.col(c).replace_strict(order, return_dtype=pl.Int64) for c in ("month", "part"))
    return joined.with_columns(ahead=month - part)


def mean(frame: pl.DataFrame, column: str) -> float:
    return frame[column].cast(pl.Float64).mean()  # type: ignore[return-value]


def test_circles_of_leavers_with_the_sign_shrink_first(read: Read, contacts: pl.DataFrame) -> None:
    leavers = read("truth/leavers").drop("part").unique("number", keep="none")
    circle = before_leaving(leavers, contacts)
    one, two, none = (circle.filter(pl.col("sign_months") == s) for s in ("1", "2", "0"))
    steady = circle.filter(pl.col("ahead") >= 3)
    assert mean(one.filter(pl.col("ahead") == 1), "size") < 0.65 * mean(steady, "size")
    assert mean(two.filter(pl.col("ahead") == 2), "size") < 0.85 * mean(steady, "size")
    assert mean(two.filter(pl.col("ahead") == 1), "size") < 0.6 * mean(steady, "size")
    assert mean(one.filter(pl.col("ahead") == 2), "size") > 0.85 * mean(steady, "size")
    assert mean(none.filter(pl.col("ahead") == 1), "size") > 0.8 * mean(steady, "size")


def test_some_who_stay_shrink_too_and_some_come_back(read: Read, contacts: pl.DataFrame) -> None:
    stay = read("truth/stay_shrinkers").drop("part").rename({"from": "month"})
    assert stay.height > 30
    assert 0.2 < stay["back_from"].is_null().mean() < 0.95  # type: ignore[operator]
    circle = before_leaving(stay, contacts)
    assert mean(circle.filter(pl.col("ahead") == 0), "size") < 0.75 * mean(circle.filter(pl.col("ahead") > 0), "size")
    left = read("users").filter(pl.col("status") == "left")["number"]
    assert not stay["number"].is_in(left.implode()).any()


def test_true_circles_fall_as_said(read: Read) -> None:
    circles = read("truth/circles").drop("part").unique("number", keep="none")
    leavers = read("truth/leavers").filter((pl.col("month") == "2026-05") & (pl.col("sign_months") == "1"))
    rows = circles.join(leavers, on="number")
    assert mean(rows, "2026-04") < 0.7 * mean(rows, "2026-03")


def test_leavers_suffer_before_and_fall_silent_at_the_end(read: Read) -> None:
    leavers = read("truth/leavers").drop("part").unique("number", keep="none").filter(pl.col("sign_months") != "0")
    bills = before_leaving(leavers, read("bills").drop("month"))
    troubled = bills.filter(pl.col("trouble_from").is_not_null() & (pl.col("ahead") == 1))
    everybody = read("bills")
    for column in ("dropped_calls", "slow_sessions", "complaints"):
        assert mean(troubled, column) > 2 * mean(everybody, column), column
    deciding = bills.filter((pl.col("decides") == "true") & (pl.col("ahead") == 1))
    assert mean(deciding, "days_on") < 0.5 * mean(everybody, "days_on")


def test_the_holiday_month_changes_everybody(read: Read, contacts: pl.DataFrame) -> None:
    calls = read("calls").filter(pl.col("kind") == "voice").group_by("part").len().sort("part")["len"].to_list()
    assert calls[1] < 0.75 * calls[0]  # month 1 of 5 is the holiday
    assert calls[1] < 0.75 * calls[2]
    size = {part: mean(rows, "size") for (part,), rows in contacts.group_by("part")}
    assert abs(size["2026-02"] / size["2026-01"] - 1) < 0.25


def test_returning_customers_talk_to_their_former_contacts(read: Read) -> None:
    calls = read("calls")
    pairs = pl.concat([calls.select(a="caller", b="callee"), calls.select(a="callee", b="caller")]).unique()
    returning = read("truth/returning")
    assert set(returning["on_net"]) == {"true", "false"}
    shared = 0
    for old, new in returning.select("number", "new_number").iter_rows():
        mine, theirs = (set(pairs.filter(pl.col("a") == n)["b"]) for n in (old, new))
        shared += len(mine & theirs) >= 2
    assert shared > 0.6 * returning.height


def test_contacts_follow_leaders_and_only_share_taste_with_decoys(read: Read) -> None:
    leads = read("truth/leaders").rename({"on": "led_on"}).drop("part", "role", "item_kind")
    adopters = read("truth/adopters").join(leads, left_on=["leader", "item"], right_on=["number", "item"])
    delay = (pl.col("on").str.to_date() - pl.col("led_on").str.to_date()).dt.total_days()
    after = adopters.with_columns(after=delay > 0)
    leader, decoy = (after.filter(pl.col("role") == role) for role in ("leader", "decoy"))
    assert leader["after"].all()
    assert 0.4 < decoy["after"].mean() < 0.75  # type: ignore[operator]
    assert abs(leader.filter(pl.col("hop") == "1").height / decoy.height - 1) < 0.4


def test_adoptions_are_in_the_feeds_on_their_days(read: Read) -> None:
    adopters = read("truth/adopters")
    use = read("app_usage").group_by("number", "app").agg(first=pl.col("at").min())
    apps = adopters.filter(pl.col("item_kind") == "app").join(
        use, left_on=["number", "item"], right_on=["number", "app"]
    )
    assert apps.height > 50
    assert (apps["first"].str.slice(0, 10) == apps["on"]).all()
    services = adopters.filter(pl.col("item_kind") == "product")
    held = services.join(read("subscriptions"), left_on=["number", "item"], right_on=["number", "product"])
    assert (held["since"] == held["on"]).mean() > 0.9  # type: ignore[operator]
    assert held["number"].n_unique() == services["number"].n_unique()


def test_apps_follow_tastes_and_systems(read: Read) -> None:
    niches = read("truth/app_niches").select("app", "niche")
    tastes = read("truth/tastes").unique("number", keep="none")
    use = read("app_usage").select("number", "app").unique().join(niches, on="app").join(tastes, on="number")
    favourite = pl.any_horizontal([pl.col("niche") == pl.col(f"niche_{i}") for i in range(1, 6)])
    assert use.select(favourite.mean()).item() > 0.55  # chance is about one in nine
    held = read("user_handsets").filter(pl.col("until").is_null()).unique("number", keep="none")
    held = held.with_columns(pl.col("handset").str.slice(0, 8)).join(
        read("handsets").select("handset", "os"), on="handset"
    )
    pairs = use.select("number", "app").join(held.select("number", "os"), on="number")
    pairs = pairs.join(read("apps").select("app", runs="os"), on="app")
    fits = pl.col("runs").is_null() | (pl.col("runs") == "") | pl.col("runs").str.contains(pl.col("os"), literal=True)
    assert pairs.select(fits.all()).item()


def test_new_apps_are_not_used_before_they_appear(read: Read) -> None:
    released = read("truth/app_niches").drop_nulls("released_day").filter(pl.col("released_day") != "")
    assert released.height > 5
    use = read("app_usage").join(released, on="app")
    day = (pl.col("at").str.to_date() - pl.date(2026, 1, 1)).dt.total_days()
    assert use.select((day >= pl.col("released_day").cast(pl.Int64)).all()).item()


def test_touches_follow_channel_habits_and_hours(read: Read) -> None:
    habits = read("truth/habits").unique("number", keep="none")
    touches = read("touches").join(habits, on="number")
    assert (touches["channel"] == touches["channel_1"]).mean() > 0.4  # type: ignore[operator]
    hour = pl.col("at").str.slice(11, 2).cast(pl.Int64)
    near = pl.min_horizontal([(hour - pl.col(c).cast(pl.Int64)).abs() for c in ("hour", "second_hour")]) <= 2
    assert touches.select(near.mean()).item() > 0.65


def test_acceptances_come_as_often_as_their_true_probability(read: Read) -> None:
    answers = read("responses").join(read("truth/acceptance"), on=["decision", "offer", "position"], suffix="_true")
    assert answers.height == read("responses").height
    truth = answers["probability_true"].cast(pl.Float64)
    accepted = (answers["outcome"] == "accepted").cast(pl.Float64)
    noise = (truth * (1 - truth)).sum() ** 0.5
    assert abs(accepted.sum() - truth.sum()) < 4 * noise
    likely = truth > truth.quantile(0.8)
    assert accepted.filter(likely).mean() > 2 * accepted.filter(~likely).mean()  # type: ignore[operator]
    shown = answers["probability"].cast(pl.Float64)
    assert ((shown > 0) & (shown <= 1)).all()


def test_nobody_unreachable_is_shown_an_offer_and_none_holds_what_excludes_it(read: Read) -> None:
    unreachable = (
        read("users")
        .unique("number", keep="none")
        .filter((pl.col("consent") == "false") | (pl.col("no_contact") == "true"))
    )
    assert unreachable.height > 100
    assert not read("responses")["number"].is_in(unreachable["number"].implode()).any()
    excludes = read("products").select("product", pl.col("excludes").str.split(";")).explode("excludes").drop_nulls()
    held = read("subscriptions").with_columns(pl.col("until").fill_null("9999"))
    held = held.filter(~pl.col("product").str.contains("^(data|voice)-"))
    pairs = held.join(excludes, on="product").join(held, left_on=["number", "excludes"], right_on=["number", "product"])
    assert pairs.filter(
        (pl.col("since") < pl.col("until_right")) & (pl.col("since_right") < pl.col("until"))
    ).is_empty()


def test_packs_are_ordered_by_chance_and_the_thrifty_hold_back(read: Read) -> None:
    packs = read("truth/data_packs")
    chance = packs["chance"].cast(pl.Float64)
    ordered = (packs["ordered"] == "true").cast(pl.Float64)
    assert abs(ordered.sum() - chance.sum()) < 4 * (chance * (1 - chance)).sum() ** 0.5
    held_back = read("truth/suppressed")
    assert held_back.height > 20
    assert (held_back["mb_used"].cast(pl.Float64) < held_back["mb_wanted"].cast(pl.Float64)).all()


def test_handset_changes_are_in_the_feed_and_cheaper_before_leaving(read: Read) -> None:
    changes = read("truth/handset_changes").unique("number", keep="none")
    held = read("user_handsets").with_columns(pl.col("handset").str.slice(0, 8))
    new = changes.join(held, left_on=["number", "to_handset", "on"], right_on=["number", "handset", "since"])
    assert new.height == changes.height
    price = read("handsets").select("handset", pl.col("price").cast(pl.Float64))
    leaving = changes.filter(pl.col("before_leaving") == "true")
    leaving = leaving.join(price, left_on="from_handset", right_on="handset")
    leaving = leaving.join(price, left_on="to_handset", right_on="handset", suffix="_to")
    assert leaving.height > 5
    assert (leaving["price_to"] <= leaving["price"]).all()


def test_rules_leave_some_visits_and_no_app_is_visited_before_its_first_use(read: Read) -> None:
    visits = read("web_visits").with_columns(
        host=pl.col("url").str.extract(r"^([^/:]+)"), day=pl.col("at").str.head(10)
    )
    rules = read("url_rules").filter(pl.col("app").is_not_null()).select("app", host="pattern")
    wild = visits.filter(pl.col("host").str.contains(r"^(ad\d+\.|Edge-|198\.51\.|line-\d{7}\.)"))
    assert 0.03 < wild.height / visits.height < 0.15
    use = read("app_usage").group_by("number", "app").agg(first=pl.col("at").min())
    both = visits.join(rules, on="host").join(use, on=["number", "app"])
    late = both.filter(pl.col("first").str.head(7) > f"{MONTHS[0]}")  # what began before the feeds has no first day
    assert late.height > 100
    assert (late["day"] < late["first"]).mean() < 0.15  # a month without a row of use comes first, for some
