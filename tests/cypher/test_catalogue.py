"""The catalogue as a whole: names, parameters declared and used, and the page made from it."""

from pathlib import Path

import pytest

from cypher import docs
from cypher.catalogue import find, load
from lake.errors import QueryRefused, UnknownName

HEAD = "// name: {name}\n// title: t\n// purpose: p\n{more}// column a: text. A.\n"


def written(folder: Path, where: str, query: str, more: str = "") -> None:
    path = folder / where
    path.parent.mkdir(exist_ok=True)
    path.write_text(HEAD.format(name=path.stem, more=more) + query)


def test_every_template_loads() -> None:
    catalogue = load()
    assert len(catalogue) >= 30
    assert {t.group for t in catalogue.values()} >= {
        "targeting",
        "products",
        "channels",
        "calls",
        "churn",
        "dumbbell",
        "quality",
    }


def test_names_are_unique_across_folders(tmp_path: Path) -> None:
    written(tmp_path, "one/same.cypher", "RETURN 1 AS a")
    written(tmp_path, "two/same.cypher", "RETURN 1 AS a")
    with pytest.raises(QueryRefused, match="same exists in one/ and in two/"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("query", "more", "words"),
    [
        ("RETURN $x AS a", "", "parameter x is used but not declared"),
        ("RETURN 1 AS a", "// parameter x: text. X.\n", "parameter x is declared but not used"),
        ("RETURN '$x' AS a // $x", "// parameter x: text. X.\n", "parameter x is declared but not used"),
        ("MATCH (n) // RETURN", "", "returns nothing"),
        ("RETURN 1 AS a", "// colour: red\n", "unknown header key 'colour'"),
    ],
)
def test_mistakes_are_refused_with_the_file(tmp_path: Path, query: str, more: str, words: str) -> None:
    written(tmp_path, "group/one.cypher", query, more)
    with pytest.raises(QueryRefused, match=f"group/one.cypher.*{words}"):
        load(tmp_path)


def test_file_and_name_agree(tmp_path: Path) -> None:
    written(tmp_path, "group/one.cypher", "RETURN 1 AS a")
    (tmp_path / "group" / "one.cypher").rename(tmp_path / "group" / "two.cypher")
    with pytest.raises(QueryRefused, match="calls itself one"):
        load(tmp_path)


def test_an_unknown_template_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="target_group"):
        find("target_groups")
    with pytest.raises(UnknownName, match="template list"):
        find("zzzz")


def test_the_page_is_not_stale() -> None:
    assert docs.PAGE.read_text(encoding="utf-8") == docs.page(load().values()), "run python -m cypher.docs"


def test_the_marketers_page_names_every_template() -> None:
    text = (docs.PAGE.parent / "marketer.md").read_text(encoding="utf-8")
    assert [name for name in load() if f"`{name}`" not in text] == []


def test_every_parameter_and_column_has_a_sentence() -> None:
    for template in load().values():
        for item in (*template.parameters, *template.columns):
            assert item.meaning.endswith("."), (template.name, item.name)
