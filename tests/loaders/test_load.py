"""A load is all or nothing: refusals, strictness, a full disk, a kill; and what its report says."""

from __future__ import annotations

import json
import os
import resource

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from lake.errors import DiskFull, FeedError, SettingError, WrongKey
from lake.home import Home
from lake.settings import load_settings
from loaders.load import check, load

GOOD = {"users.csv": "number,city\n1,Bonn\n2,Ulm\n", "touches.csv": "number,channel,at\n1,sms,2026-05-10T10:00:00Z\n"}


def refused(bench, files: dict, match: str, **options) -> FeedError:
    """The error of a load that must leave the lake and the quarantine as they were."""
    before = bench.state()
    quarantine = sorted(bench.home.quarantine.glob("*"))
    with pytest.raises(FeedError, match=match) as caught:
        bench.load(files, **options)
    assert bench.state() == before
    assert sorted(bench.home.quarantine.glob("*")) == quarantine
    assert not list(bench.home.lake.glob(".*"))
    return caught.value


def test_customers_are_all_numbers_of_all_feeds_with_defaults(bench) -> None:
    bench.load(
        {
            "users.csv": "number,city,kind,consent\n1,Bonn,,\n2,Ulm,service,false\n",
            "calls.csv": "caller,callee,at\n1,3,2026-05-10T10:00Z\n4,1,2026-05-10T10:00Z\n",
            "bills.csv": "number,month\n5,2026-05\n",
            "web_visits.csv": "number,at,url\n6,2026-05-10T10:00Z,a.example\n",
        }
    )
    names = ("user", "off_net", "city", "kind", "consent", "no_contact")
    assert bench.rows("customers", *names) == [
        ("1", False, "Bonn", "person", True, False),
        ("2", False, "Ulm", "service", False, False),
        *((n, True, None, "person", True, False) for n in "3456"),
    ]
    users = bench.lake.read("customers").column("user").to_pylist()
    assert users == sorted(users)


def test_without_users_the_numbers_are_the_customers(bench) -> None:
    report = bench.load({"touches.csv": GOOD["touches.csv"]})
    assert bench.rows("customers", "user", "off_net") == [("1", False)]
    assert any(sentence.startswith("without users, the numbers of the other feeds") for sentence in report.off)


def test_a_feed_loaded_earlier_is_not_off(bench) -> None:
    bench.load({"users.csv": GOOD["users.csv"]})
    report = bench.load({"touches.csv": GOOD["touches.csv"]})
    assert not any("without users" in s or "without touches" in s for s in report.off)
    assert any("without calls" in s for s in report.off)


def test_other_names_are_ignored_and_said_and_unknown_columns_warned_of_once(bench) -> None:
    report = bench.load(
        {
            "users.csv": "number,shoe size\n1,42\n",
            "readme.txt": "x",
            "truth/x.csv": "x",
            "calls.csv.gz": "x",
            "touches/a.csv": "number,channel,at,hat\n",
            "touches/b.csv": "at,number,channel,hat\n",
            "touches/notes.md": "x",
        }
    )
    assert report.warnings == [
        "calls.csv.gz is no feed and was ignored",
        "readme.txt is no feed and was ignored",
        "truth is no feed and was ignored",
        "touches/notes.md is no part of a feed and was ignored",
        "users: column 'shoe size' is unknown and was left out",
        "touches: column 'hat' is unknown and was left out",
    ]


def test_dangling_identifiers_are_counted(bench) -> None:
    files = {
        "apps.csv": "app,name\nmaps,Maps\n",
        "app_usage.csv": "number,app,at\n1,maps,2026-05-01\n1,chat,2026-05-01\n1,chat,2026-05-02\n1,game,2026-05-02\n",
        "offers.csv": "offer,product,title,channels\no,p,T,sms;web\n",
        "channels.csv": "channel,name,kind\nsms,SMS,sms\n",
    }
    for _ in range(2):  # as well when the files are in force and skipped
        report = bench.load(files)
        assert report.feeds["app_usage"].dangling == {"app": 2}
        assert report.feeds["offers"].dangling == {"product": 1, "channels": 1}
        assert report.feeds["apps"].dangling == {}
    report = bench.load({"apps.csv": "app,name\nchat,Chat\n", "app_usage.csv": files["app_usage.csv"]})
    assert report.feeds["app_usage"].dangling == {"app": 1}


def test_check_gives_the_report_of_a_first_load_and_writes_nothing(bench) -> None:
    files = {
        **GOOD,
        "apps.csv": "app,name\n,A\nb,B\n",
        "app_usage/2026-05.csv": "number,app,at\n1,b,2026-05-01\nx,b,2026-05-01\n1,c,2026-06-01\n",
        "calls.csv": "caller,callee,at\n1,INFO,2026-05-10T10:00Z\n",
    }
    folder = bench.folder(files)
    before = sorted(p for p in bench.root.rglob("*"))
    checked = check(folder, bench.settings, bench.home.pseudonyms()).to_json()
    assert sorted(p for p in bench.root.rglob("*")) == before
    loaded = load(folder, bench.home, bench.settings).to_json()
    assert checked | {"changed": True} == loaded
    json.dumps(loaded)


def test_a_report_prints(bench) -> None:
    report = bench.load(
        {
            "users.csv": "number,hat\n1,x\nx,\n",
            "readme.txt": "",
            "app_usage.csv": "number,app,at\n1,chat,2026-05-01\n",
        }
    )
    console = Console(width=140, record=True, file=open(os.devnull, "w"))
    for table in report.tables():
        console.print(table)
    text = console.export_text()
    for told in (
        "has a character that is no digit",
        "users.csv, line 3",
        "readme.txt is no feed and was ignored",
        "column 'hat' is unknown",
        "app_usage: 1 identifiers of app have no row of their own",
        "without offers, only apps are matched",
    ):
        assert told in text


def test_no_raw_number_is_written_anywhere(bench) -> None:
    bench.load(
        {
            "users.csv": "number,account,activated_on,person\n4915112345678,K4915112345678,2026-01-01,P99887766554\n"
            "49151123456780000,,,\n49151123x5678,,,\n",
            "web_visits.csv": "number,at,url\n4915112345678,2026-05-01T10:00Z,a.example/?n=4915112345678\n",
        }
    )
    for path in bench.home.root.rglob("*"):
        raw = path.read_bytes() if path.is_file() else b""
        if path.suffix == ".parquet":
            raw += repr(pq.read_table(path, partitioning=None).to_pylist()).encode()
        for secret in (b"4915112345678", b"49151123x5678", b"P99887766554", b"15112345678"):
            assert secret not in raw, path


def test_a_column_name_that_may_be_a_number_is_not_repeated(bench) -> None:
    report = bench.load({"users.csv": "number,+49 151 1234567\n1,x\n"})
    assert report.warnings == ["users: column of digits is unknown and was left out"]


# -- refusals: nothing of the folder is taken ------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "match"),
    [
        ({"touches.csv": "number,at\n1,x\n"}, "feed touches is refused: touches.csv has no column channel"),
        (
            {"touches/a.csv": "number,channel,at\n", "touches/b.csv": "number,at\n"},
            "touches/b.csv has no column channel",
        ),
        ({"users.csv": "number;city\n1;Bonn\n"}, "has no column number: separate columns by commas"),
        ({"users.csv": ""}, "users.csv has no column number: the first line must name the columns"),
        ({"users.csv": "number,number\n1,1\n"}, "users.csv has the column number twice"),
        (
            {"users.csv": "number,city\n1,K\u00f6ln\n".encode("latin-1")},
            "users.csv is not in utf-8 .line 2, byte 16.*DUMBBELL_ENCODING=gb18030",
        ),
        ({"users.csv": 'number,city\n1,"Bonn\n'}, "quote in the record of line 2 that is never closed"),
        ({"users.parquet": b"PAR1 no more"}, "users.parquet cannot be read"),
        ({"users.parquet": pa.table({"number": ["1"], "city": [{"a": 1}]})}, "users.parquet, column city has the type"),
        ({"users.csv": "number\n", "users.parquet": pa.table({"number": ["1"]})}, "comes twice, as users.csv and"),
        (
            {"users.csv": "number\n", "users/a.csv": "number\n"},
            "feed users comes twice, as users/ and users.csv|as users.csv and users/",
        ),
        ({"users/readme.md": "x"}, "the folder of feed users is empty"),
        ({"readme.md": "x"}, "holds no feed: put files like users.csv"),
        ({}, "holds no feed"),
    ],
)
def test_a_folder_that_cannot_be_taken_is_refused_whole(bench, files: dict, match: str) -> None:
    bench.load(GOOD)
    refused(
        bench,
        {"apps.csv": "app,name\na,A\n", **files} if "users" in str(files) or "touches" in str(files) else files,
        match,
    )
    assert not bench.lake.has("apps")


def test_a_folder_that_is_not_there_is_refused(bench) -> None:
    with pytest.raises(FeedError, match="there is no feed folder"):
        load(bench.root / "nowhere", bench.home, bench.settings)


def test_strict_refuses_at_the_first_bad_row_and_takes_nothing(bench) -> None:
    bench.load(GOOD)
    files = {"apps.csv": "app,name\na,A\n", "bills.csv": "number,month\n1,2026-05\n1,2026-13\n"}
    error = refused(bench, files, r"bills.csv, line 3: month is no month \(YYYY-MM\): mend it", strict=True)
    assert error.code == "quarantined"
    later = "number,month\n1,2026-05\nx,2026-05\n1,2026-13\n1\n"  # the first line, not the first column
    refused(bench, {"bills.csv": later}, r"bills.csv, line 3: number has a character that is no digit", strict=True)
    assert bench.load(files).feeds["bills"].quarantined == 1
    refused(bench, files, "bills.csv, line 3: month is no month", strict=True)  # as well when it is in force already
    assert bench.load(GOOD, strict=True).feeds["users"].repeated == 2


def test_a_record_with_too_many_fields_is_quarantined_with_its_line(bench) -> None:
    report = bench.load({"users.csv": "number,city\n1,Bonn\n2,Ulm,x\n3\n4,Kiel\n"})
    assert bench.quarantine("users") == [
        ("users.csv", 3, None, "has 3 fields, the header has 2"),
        ("users.csv", 4, None, "has 1 fields, the header has 2"),
    ]
    assert (report.feeds["users"].read, report.feeds["users"].taken) == (4, 2)


def test_parquet_rows_are_placed_by_row_group_and_row(bench) -> None:
    folder = bench.folder({"apps.csv": "app,name\n"})
    (folder / "users").mkdir()
    with pq.ParquetWriter(folder / "users" / "a.parquet", pa.schema([("number", pa.string())])) as writer:
        writer.write_table(pa.table({"number": ["1", "2"]}))
        writer.write_table(pa.table({"number": ["3", "x"]}))
    (folder / "users" / "b.csv").write_text("number\ny\n")
    report = load(folder, bench.home, bench.settings)
    rows = pq.read_table(bench.home.quarantine / "users.parquet").to_pylist()
    assert [(r["file"], r["row_group"], r["line"], r["value_class"]) for r in rows] == [
        ("users/a.parquet", 1, 2, "letters, length 1"),
        ("users/b.csv", None, 2, "letters, length 1"),
    ]
    assert report.quarantined[0]["first"] == "users/a.parquet, row group 1, row 2"


def test_a_file_read_again_has_only_its_new_verdict_in_the_quarantine(bench) -> None:
    bench.load({"users.csv": "number\nx\n1\n"})
    bench.load({"users/part.csv": "number\ny\n"})
    assert [row[0] for row in bench.quarantine("users")] == ["users.csv", "users/part.csv"]
    bench.load({"users.csv": "number\n1\n"})
    assert [row[0] for row in bench.quarantine("users")] == ["users/part.csv"]
    bench.load({"users/part.csv": "number\n2\n"})
    assert not list(bench.home.quarantine.glob("users*"))


def test_gb18030_feeds_when_set(make_bench) -> None:
    bench = make_bench(encoding="gb18030")
    bench.load({"users.csv": 'number,city\n1,北京\n2,"上海\n市"\n3,x,\n'.encode("gb18030")})
    assert bench.rows("users", "city") == [("上海\n市",), ("北京",)]
    assert bench.quarantine("users")[0][:2] == ("users.csv", 5)


def test_the_period_is_fixed_at_the_first_load(make_bench) -> None:
    bench = make_bench(period="week")
    bench.load(GOOD)
    other = load_settings(home=bench.settings.home, key_file=bench.settings.key_file, period="month")
    with pytest.raises(SettingError, match="DUMBBELL_PERIOD is 'month', but home was filled with 'week'"):
        load(bench.folder(GOOD), bench.home, other)
    with pytest.raises(SettingError):
        Home.open(other)


def test_another_key_is_noticed_before_anything_is_taken(bench) -> None:
    bench.load(GOOD)
    before = bench.state()
    bench.settings.key_file.write_text("00" * 32)
    with pytest.raises(WrongKey, match="DUMBBELL_KEY_FILE"):
        bench.load(GOOD)
    assert bench.state() == before


def test_a_full_disk_takes_nothing_and_says_so(bench) -> None:
    """The limit on a file's size stands for the disk: the system refuses to write on."""
    bench.load(GOOD)
    before = bench.state()
    rows = "".join(f"{i},sms,2026-05-{i % 28 + 1:02d}T10:00:00Z\n" for i in range(60_000))
    folder = bench.folder({"touches.csv": "number,channel,at\n" + rows})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    try:
        with pytest.raises(DiskFull, match="free some space"):
            load(folder, bench.home, bench.settings)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert bench.state() == before
    assert not list(bench.home.lake.glob(".*"))
    assert load(folder, bench.home, bench.settings).feeds["touches"].taken == 60_000


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


@pytest.mark.parametrize("moment", range(1, 9))
def test_a_load_killed_while_publishing_is_finished_by_the_next_opening(
    make_bench, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    """`os.replace` number `moment` kills the load: 1 is the journal's own rename, the others move tables."""
    second = {
        "users.csv": "number,city\n1,Kiel\n3,Ulm\nx,\n",
        "touches/2026-05.csv": "number,channel,at\n2,sms,2026-05-11T10:00Z\n",
    }
    calm, bench = make_bench(), make_bench()
    for one in (calm, bench):
        one.load(GOOD)
    untouched = {name: digest for name, (digest, _) in bench.state().items()}
    calm.load(second)
    replace, calls = os.replace, []

    def dying(source, target) -> None:
        calls.append(target)
        if len(calls) == moment:
            raise Killed
        replace(source, target)

    monkeypatch.setattr("lake.publish.os.replace", dying)
    killed = True
    try:
        bench.load(second)
        killed = False
    except Killed:
        pass
    monkeypatch.undo()
    home = Home.open(bench.settings)
    with home.writing("load"):
        found = {name: digest for name, (digest, _) in bench.state().items()}
    wanted = {name: digest for name, (digest, _) in calm.state().items()}
    assert found == (untouched if moment == 1 else wanted)
    assert killed or moment > len(calls)
    assert not list(home.lake.glob(".*"))
