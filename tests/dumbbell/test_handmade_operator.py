"""A hand-made operator, in all the forms that feeds may take, from feeds to decisions whose answers are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

FEEDS = {
    "users.csv": (
        "city,number,status,consent,birth_year,sim\n"
        "Alm,0151 100 000-01,active,true,1990,5g\n"
        "Alm,+49 (151) 10000002,active,true,1991,5g\n"
        "Alm,004915110000003,active,false,1992,5g\n"
        "Berg,+4915110000004,active,true,1960,4g\n"
        "Berg,+4915110000005,left,true,1961,4g\n"
        "Berg,12345,active,true,,\n"
        "Berg,+49151x,active,true,1950,4g\n"
        ",+4915110000007,dancing,true,1950,4g\n"
    ),
    "handsets.csv": "handset,brand,model,os,network\n35000001,Norv,N1,android,4g\n35000002,Pome,P2,ios,5g\n",
    "user_handsets.csv": (
        "number,handset,since,until\n"
        "+4915110000001,350000010000017,2025-01-01,\n"
        "+4915110000002,35000002,2025-01-01,\n"
        "+4915110000004,35000002,2024-01-01,2025-06-30\n"
        "+4915110000004,35000001,2025-07-01,\n"
    ),
    "apps.csv": (
        "app,name,category,os,colour\n"
        'maps,Maps,travel,,red\nmusic,"Music, loud",play,android;ios,red\n'
        "photos,Photos,play,ios,red\nrare,Rare,travel,android,red\n"
    ),
    "app_usage.csv": (
        "number,app,at,sessions\n"
        "+4915110000001,maps,2026-05-03,4\n"
        "+4915110000002,maps,2026-05-04T10:00:00+02:00,1\n"
        "+4915110000002,photos,2026-05-05,\n"
        "+4915110000004,music,2026-05-06,2\n"
        "+4915110000004,maps,2026-05-06,many\n"
        "12345,music,2026-05-07,2\n"
        "12345,,2026-05-07,2\n"
    ),
    "products.csv": (
        "product,name,kind,monthly_fee,excludes,needs_os\n"
        "basic,Basic,plan,5,,\nbig,Big,plan,20,basic,\nmusicbox,Music box,service,3,,android\nalarm,Alarm,service,1,,\n"
    ),
    "subscriptions.csv": (
        "number,product,since,until\n+4915110000001,basic,2025-01-01,\n+4915110000002,alarm,2025-01-01,\n"
    ),
    "bills.csv": "number,month,fee\n+4915110000001,2026-05,5.00\n+4915110000001,2026-13,5.00\n",
    "channels.csv": "channel,name,kind\nsms,Text,sms\napp,App,app\n",
    "touches.csv": "number,channel,at\n+4915110000001,app,2026-05-03T09:00:00\n",
    "offers.csv": (
        "offer,product,title,script,reason,channels,audience\n"
        "o-big,big,Go big,Say big,more of all,app;sms,\n"
        "o-music,musicbox,Music for you,Say music,you like music,app,city = Alm\n"
        "o-alarm,alarm,Be safe,Say alarm,safety,app;sms,birth_year < 1970\n"
        "o-bad,alarm,Bad,Say,bad,app,shoe_size > 40\n"
    ),
    "responses.csv": "number,offer,channel,at,outcome\n+4915110000004,o-alarm,app,2026-05-20T10:00:00,refused\n",
    "calls.csv": (
        "caller,callee,at,seconds,record,kind\n"
        "+4915110000001,+4915110000002,2026-05-02T10:00:00,60,out,voice\n"
        "+4915110000001,+4915110000002,2026-05-02T10:00:03,60,in,voice\n"
        "+4915110000002,+4915110000001,2026-05-03T10:00:00,30,,voice\n"
        "+4915110000001,+4930111222,2026-05-03T11:00:00,30,,voice\n"
        "+4915110000001,BANK,2026-05-03T12:00:00,30,,voice\n"
        "+4915110000004,+4915110000001,2026-05-04T10:00:00,0,,message\n"
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def ran(dumbbell: Any, wiped: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    feeds = tmp_path_factory.mktemp("handmade")
    for name, text in FEEDS.items():
        (feeds / name).write_text(text)
    (feeds / "notes.txt").write_text("not a feed")
    home = tmp_path_factory.mktemp("handmade-home") / "home"
    done = dumbbell("run", feeds, "--json", home=home, country="DE", timezone="Europe/Berlin")
    assert done.status == 0, done
    return home, done


@pytest.fixture(scope="module")
def pseudonym(dumbbell: Any, ran: Any) -> Any:
    numbers = [*(f"+491511000000{i}" for i in range(1, 6)), "+4930111222"]
    done = dumbbell("pseudonym", "--file", "-", home=ran[0], country="DE", stdin="\n".join(numbers) + "\n")
    assert done.status == 0, done
    return dict(zip(numbers, done.out.split(), strict=True)).__getitem__


def test_report_counts_every_row(ran: Any) -> None:
    feeds = ran[1].json["feeds"]
    assert {name: (f["read"], f["taken"], f["quarantined"]) for name, f in feeds.items()} == {
        "users": (8, 7, 1),
        "handsets": (2, 2, 0),
        "user_handsets": (4, 4, 0),
        "apps": (4, 4, 0),
        "app_usage": (7, 6, 1),
        "products": (4, 4, 0),
        "subscriptions": (2, 2, 0),
        "bills": (2, 1, 1),
        "channels": (2, 2, 0),
        "touches": (1, 1, 0),
        "offers": (4, 3, 1),
        "responses": (1, 1, 0),
        "calls": (6, 5, 0),
    }
    assert feeds["users"]["values_dropped"] == 1  # status `dancing`
    assert feeds["app_usage"]["values_dropped"] == 1  # sessions `many`
    warnings = " ".join(ran[1].json["warnings"])
    assert "colour" in warnings
    assert "notes.txt" in warnings


def test_quarantine_names_file_line_and_reason_but_no_value(ran: Any) -> None:
    rows = [r for f in sorted((ran[0] / "quarantine").glob("*.parquet")) for r in pq.read_table(f).to_pylist()]
    assert {(r["feed"], int(r["line"]), r["column"]) for r in rows} == {
        ("users", 8, "number"), ("app_usage", 8, "app"), ("bills", 3, "month"), ("offers", 5, "audience")
    }  # fmt: skip
    assert all("151" not in str(r) for r in rows)
    assert any("shoe_size" in r["reason"] for r in rows)


def test_graph_holds_the_dumbbell(ran: Any, wiped: Any, pseudonym: Any) -> None:
    labels = {r["label"]: r["n"] for r in wiped.read("MATCH (n) UNWIND labels(n) AS label RETURN label, count(*) AS n")}
    assert labels["User"] == 8  # seven customers, one off-net number; BANK is nobody
    assert {k: labels[k] for k in ("Handset", "App", "Product", "Offer", "Channel")} == {
        "Handset": 2, "App": 4, "Product": 4, "Offer": 3, "Channel": 2
    }  # fmt: skip
    first, second = pseudonym("+4915110000001"), pseudonym("+4915110000002")
    calls = wiped.read(
        "MATCH (a:User {user: $a})-[c:CALLS]-(b:User {user: $b}) "
        "RETURN c.calls_out + c.calls_in AS calls, c.seconds_out + c.seconds_in AS seconds, c.period AS period",
        a=first, b=second,
    )  # fmt: skip
    assert calls == [{"calls": 2, "seconds": 90, "period": "2026-05"}]
    handset = wiped.read("MATCH (:User {user: $a})-[:USES_HANDSET]->(h) RETURN h.handset AS handset", a=first)
    assert handset == [{"handset": "35000001"}]
    assert wiped.read("MATCH (:Product {product: 'big'})-[:EXCLUDES]->(p) RETURN p.product AS p") == [{"p": "basic"}]


def matches(dumbbell: Any, home: Path, kind: str, out: Path) -> dict[str, list[str]]:
    import uuid

    done = dumbbell("match", "--kind", kind, "--k", 10, "--out", out, home=home, country="DE", today="2026-06-01")
    assert done.status == 0, done
    found: dict[str, list[str]] = {}
    for row in pq.read_table(out).to_pylist():
        found.setdefault(str(uuid.UUID(bytes=row["user"])), []).append(row["item"])
    return found


def test_apps_suit_the_handset_and_are_new_to_the_customer(
    ran: Any, dumbbell: Any, pseudonym: Any, tmp_path: Path
) -> None:
    found = matches(dumbbell, ran[0], "app", tmp_path / "apps.parquet")
    assert set(found[pseudonym("+4915110000001")]) == {"music", "rare"}  # android; maps is in use
    assert set(found[pseudonym("+4915110000002")]) == {"music"}  # ios; maps and photos are in use
    assert set(found[pseudonym("+4915110000004")]) <= {"rare"}  # now android; maps and music are in use
    assert pseudonym("+4915110000003") not in found  # does not consent
    assert pseudonym("+4915110000005") not in found  # has left
    assert pseudonym("+4930111222") not in found  # another network's


def test_offers_obey_excludes_needs_audience_and_refusals(
    ran: Any, dumbbell: Any, pseudonym: Any, tmp_path: Path
) -> None:
    found = matches(dumbbell, ran[0], "offer", tmp_path / "offers.parquet")
    assert set(found[pseudonym("+4915110000001")]) == {"o-music"}  # holds basic, which big cannot be held beside
    assert set(found[pseudonym("+4915110000002")]) == {
        "o-big"
    }  # ios: no music box; too young for the alarm, and has it
    assert set(found[pseudonym("+4915110000004")]) == {"o-big"}  # refused the alarm; lives in Berg


def test_parquet_feeds_give_the_same_lake(ran: Any, dumbbell: Any, tmp_path: Path, wiped: Any) -> None:
    import csv
    import io

    feeds = tmp_path / "feeds"
    feeds.mkdir()
    for name, text in FEEDS.items():
        rows = list(csv.DictReader(io.StringIO(text)))
        columns = {c: pa.array([r[c] or None for r in rows], pa.string()) for c in rows[0]}
        pq.write_table(pa.table(columns), feeds / name.replace(".csv", ".parquet"))
    home = tmp_path / "home"
    done = dumbbell("check", feeds, "--json", home=home, country="DE", timezone="Europe/Berlin")
    assert done.status == 0, done
    counts = {n: (f["read"], f["taken"], f["quarantined"], f["values_dropped"]) for n, f in done.json["feeds"].items()}
    expected = ran[1].json["feeds"]
    assert counts == {n: (f["read"], f["taken"], f["quarantined"], f["values_dropped"]) for n, f in expected.items()}
