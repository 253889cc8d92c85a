"""Loads that translate: what comes out, which months are done again, and what is told of the rest."""

from __future__ import annotations

import datetime as dt
import io

import pyarrow.csv as pa_csv
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from loaders.load import check
from loaders.urls.coverage import as_rules

VISITS = """number,at,url,mb
1,2026-05-10T10:00Z,https://maps.example/x?q=1,1.5
1,2026-05-10T09:00Z,maps.example:443/y,
1,2026-05-11T09:00Z,maps.example,0.25
2,2026-05-10T10:00Z,cup.example/live,1
3,2026-06-10T10:00Z,c.example,1
4,2026-06-10T10:00Z,c.example/a,1
5,2026-06-10T10:00Z,c.example,1
5,2026-06-11T10:00Z,c.example,1
5,2026-06-11T10:00Z,rare.example,1
"""
RULES = "pattern,app,tag,content\nmaps.example,maps,,\ncup.example,,sport,video\n"
FILES = {"web_visits.csv": VISITS, "url_rules.csv": RULES}


def at(month: int, day: int, hour: int) -> dt.datetime:
    return dt.datetime(2026, month, day, hour)


def test_recognised_visits_become_use_and_the_others_hosts(bench) -> None:
    report = bench.load(FILES)
    assert report.translation == {
        "visits": 9, "recognised": 4, "visits_percent": 44.44, "users": 5, "users_recognised": 2, "users_percent": 40.0,
    }  # fmt: skip
    assert bench.rows("web_use") == [
        ("1", dt.date(2026, 5, 10), 9, "maps", None, None, 2, 1.5, at(5, 10, 9), at(5, 10, 10)),
        ("1", dt.date(2026, 5, 11), 9, "maps", None, None, 1, 0.25, at(5, 11, 9), at(5, 11, 9)),
        ("2", dt.date(2026, 5, 10), 10, None, "sport", "video", 1, 1.0, at(5, 10, 10), at(5, 10, 10)),
    ]
    assert bench.rows("web_unknown") == [
        ("3", "c.example", 1, 1.0), ("4", "c.example", 1, 1.0), ("5", "c.example", 2, 2.0),
        ("5", "rare.example", 1, 1.0),
    ]  # fmt: skip
    assert bench.rows("unknown_hosts") == [("c.example", 3, 4, 4.0)]  # rare.example is one customer's
    assert "Visits translated by url_rules" in [table.title for table in report.tables()]
    checked = check(bench.folder(FILES), bench.settings, bench.home.pseudonyms())
    assert checked.translation == report.translation


def test_only_months_whose_visits_changed_are_translated_again(bench) -> None:
    bench.load(FILES)
    before = bench.state()
    again = bench.load(FILES)
    assert bench.state() == before
    assert not again.changed
    june = "number,at,url\n3,2026-06-10T10:00Z,cup.example\n"
    report = bench.load({"web_visits/2026-06.csv": june})
    assert report.translation is not None
    assert (report.translation["visits"], report.translation["recognised"]) == (5, 5)
    after = bench.state()
    assert {name for name in before | after if name.startswith("web_u") and before.get(name) != after.get(name)} == {
        "web_use/month=2026-06/part-0.parquet", "web_unknown/month=2026-06/part-0.parquet",
    }  # fmt: skip
    assert bench.rows("unknown_hosts") == []


def test_other_rules_translate_every_month_again(bench) -> None:
    bench.load(FILES)
    report = bench.load({"url_rules.csv": "pattern,app,tag,content\n*.example,,web,\nmaps.example,,maps,\n"})
    assert report.translation is not None
    assert report.translation["visits_percent"] == report.translation["users_percent"] == 100
    assert {row[0] for row in bench.rows("web_use", "tag")} == {"web", "maps", "sport"}
    assert bench.rows("unknown_hosts") == []
    assert not bench.lake.has("web_unknown")


def test_visits_without_rules_and_rules_without_visits(bench) -> None:
    assert bench.load({"url_rules.csv": "pattern,tag\na.example,t\n"}).translation is None
    report = bench.load({"web_visits.csv": "number,at,url\n1,2026-05-10T10:00Z,b.example\n"})
    assert report.translation == {
        "visits": 1, "recognised": 0, "visits_percent": 0.0, "users": 1, "users_recognised": 0, "users_percent": 0.0,
    }  # fmt: skip
    assert not bench.lake.has("web_use")


def test_visits_taken_back_take_their_use_along(bench) -> None:
    bench.load({"web_visits/2026-05.csv": VISITS[: VISITS.index("3,2026-06")], "url_rules.csv": RULES})
    report = bench.load({"web_visits/2026-05.csv": "number,at,url\n"})
    assert report.translation is not None
    assert (report.translation["visits"], report.translation["visits_percent"]) == (0, None)
    assert not bench.lake.has("web_use")


def test_hosts_that_may_be_somebodys_own_are_not_listed(bench) -> None:
    hosts = [
        "10.0.0.1", "[2001:db8::1]:80", "4915112345678.example", "49-151-1234567.dyn.isp.example",
        "p5489aa01.4915112345{}.pool.isp.example", "news.example:8080", "0049.151.2345678.line.isp.example",
    ]  # fmt: skip
    visits = [f"{n},2026-05-10T10:00Z,{host.format(n)}/x" for n in (6, 7, 8) for host in hosts]
    visits += [f"{n},2026-05-10T10:00Z,private.example" for n in (6, 7)]
    bench.load({"web_visits.csv": "number,at,url\n" + "\n".join(visits) + "\n"})
    listed = bench.lake.read("unknown_hosts")["host"].to_pylist()
    assert sorted(listed) == ["*.dyn.isp.example", "*.line.isp.example", "*.pool.isp.example", "news.example"]
    assert not any(char.isdigit() for host in listed for char in host)


def test_listed_hosts_are_rules_to_fill_in(bench) -> None:
    bench.load(FILES)
    out = io.BytesIO()
    pa_csv.write_csv(as_rules(bench.lake.read("unknown_hosts")), out)
    header, line = out.getvalue().decode().splitlines()
    report = bench.load({"url_rules.csv": f"{header}\n{line}\n"})
    assert report.feeds["url_rules"].quarantined == 1  # nothing is filled in
    assert report.warnings == [
        f"url_rules: column '{name}' is unknown and was left out" for name in ("users", "visits", "mb")
    ]
    line = line.replace(',"","","",', ",,news,,")
    report = bench.load({"url_rules.csv": f"{header}\n{line}\n"})
    assert report.translation is not None
    assert report.translation["recognised"] == 8


def test_patterns_that_are_none_are_quarantined_and_equal_ones_said(bench) -> None:
    bad = ["*", "*.", "a.*.example", "two words.example", "/path"]
    rows = "".join(f"{pattern},t\n" for pattern in [*bad, "a.example", "A.example/", "*.b.example/x"])
    report = bench.load({"url_rules.csv": f"pattern,tag\n{rows}", "web_visits.csv": VISITS})
    assert [row[2:] for row in bench.quarantine("url_rules")] == [
        ("pattern", "is no host, *.host, or host with a path")
    ] * 5
    assert "url_rules: 1 patterns mean the same as another one and do not count" in report.warnings


MEANT = {"a.example/x": ("a", None), "b.a.example": (None, "t"), "c.example": (None, None)}
VISIT = st.tuples(
    st.integers(1, 3),
    st.integers(1, 40),
    st.integers(0, 23),
    st.sampled_from([*MEANT]),
    st.sampled_from(["", ".1", ".7"]),
)


@given(rows=st.lists(VISIT, min_size=5, max_size=30), cut=st.integers(0, 5))
@settings(max_examples=5, phases=[Phase.generate])
def test_any_split_gives_the_sums_of_plain_grouping(make_bench, rows: list[tuple], cut: int) -> None:
    days = [dt.date(2026, 5, 1) + dt.timedelta(days=day) for _, day, *_ in rows]
    lines = [f"{u},{day}T{h:02d}:00Z,{url},{mb}\n" for (u, _, h, url, mb), day in zip(rows, days, strict=True)]
    rules = "pattern,app,tag\na.example/x,a,\n*.a.example,,t\n"
    whole, split = make_bench(), make_bench()
    whole.load({"web_visits.csv": "number,at,url,mb\n" + "".join(lines), "url_rules.csv": rules})
    split.load({"web_visits/1.csv": "number,at,url,mb\n" + "".join(lines[cut:])})
    split.load({"web_visits/2.csv": "number,at,url,mb\n" + "".join(lines[:cut]), "url_rules.csv": rules})
    for name in ("web_use", "web_unknown", "unknown_hosts"):
        files = [[path.read_bytes() for path in bench.lake.files(name)] for bench in (whole, split)]
        assert files[0] == files[1]
    sums: dict[tuple, list] = {}
    for (u, _, hour, url, mb), day in zip(rows, days, strict=True):
        if any(MEANT[url]):
            facts = sums.setdefault((str(u), day, *MEANT[url]), [0, None, hour])
            facts[0] += 1
            facts[1] = round((facts[1] or 0) + float(mb), 6) if mb else facts[1]
            facts[2] = min(facts[2], hour)
    found = {}
    if whole.lake.has("web_use"):
        found = {
            row[:4]: list(row[4:]) for row in whole.rows("web_use", "user", "day", "app", "tag", "visits", "mb", "hour")
        }
    assert found == sums


def test_a_load_that_fails_leaves_what_was_there(bench, monkeypatch) -> None:
    bench.load(FILES)
    before = bench.state()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lake.publish.publish", full)
    with pytest.raises(Exception, match="no space left"):
        bench.load({"url_rules.csv": RULES + "c.example,,new,\n"})
    assert bench.state() == before
