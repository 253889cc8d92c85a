"""Settings: a variable wins over the file, and a bad one is named with what would work."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from lake.errors import SettingError
from lake.settings import load_settings


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_flag_then_variable_then_file_then_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().timezone == "UTC"
    (tmp_path / "dumbbell.toml").write_text('timezone = "Europe/Berlin"\ncountry = "de"\ntoday = 2026-05-01\n')
    found = load_settings()
    assert (found.timezone, found.country, found.today) == ("Europe/Berlin", "DE", dt.date(2026, 5, 1))
    monkeypatch.setenv("DUMBBELL_TIMEZONE", "Asia/Tokyo")
    assert load_settings().timezone == "Asia/Tokyo"
    assert load_settings(timezone="Africa/Lagos").timezone == "Africa/Lagos"
    monkeypatch.setenv("DUMBBELL_COUNTRY", "")
    assert load_settings().country == "DE"


@pytest.mark.parametrize(
    ("name", "value", "works"),
    [
        ("TIMEZONE", "Mars/Base", "Europe/Berlin"),
        ("COUNTRY", "XX", "DE"),
        ("ENCODING", "latin-1", "'utf-8' or 'gb18030'"),
        ("PERIOD", "year", "'month' or 'week'"),
        ("TODAY", "soon", "date"),
        ("KEEP_PERIODS", "0", "greater than or equal to 1"),
    ],
)
def test_a_bad_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, works: str) -> None:
    monkeypatch.setenv(f"DUMBBELL_{name}", value)
    with pytest.raises(SettingError, match=f"setting DUMBBELL_{name} is '{value}'.*{works}"):
        load_settings()


def test_spellings_of_an_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    for spelling, encoding in (("UTF-8", "utf-8"), ("utf8", "utf-8"), ("GB18030", "gb18030")):
        monkeypatch.setenv("DUMBBELL_ENCODING", spelling)
        assert load_settings().encoding == encoding


def test_a_file_that_does_not_parse_and_an_unknown_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "dumbbell.toml").write_text("timezone = \n")
    with pytest.raises(SettingError, match=r"dumbbell.toml cannot be read"):
        load_settings()
    (tmp_path / "dumbbell.toml").write_text('timezon = "UTC"\n')
    with pytest.raises(SettingError, match="DUMBBELL_TIMEZON "):
        load_settings()


def test_rules_come_from_file_or_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dumbbell.toml").write_text("[rules.contract_end]\nmonths = 2\n")
    assert load_settings().rules == {"contract_end": {"months": 2}}
    monkeypatch.setenv("DUMBBELL_RULES", '{"contract_end": {"months": 1}}')
    assert load_settings().rules == {"contract_end": {"months": 1}}
    for wrong, says in (("[", 'a DUMBBELL_ variable cannot be read .*"rules"'), ("[3]", "setting DUMBBELL_RULES is")):
        monkeypatch.setenv("DUMBBELL_RULES", wrong)
        with pytest.raises(SettingError, match=says):
            load_settings()


def test_passwords_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUMBBELL_NEO4J_PASSWORD", "hush")
    assert "hush" not in repr(load_settings())
