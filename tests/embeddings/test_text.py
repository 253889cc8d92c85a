from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.catalogue import read_catalogue
from embeddings.features import read_features
from embeddings.text import FEWEST_TITLES, WORDS, encode_titles, tokens


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("", []),
        (" - !", []),
        ("WhatsChat 3.0", ["whatschat", "3", "0"]),
        ("中国移动", ["中国", "国移", "移动"]),
        ("微", ["微"]),
        ("QQ音乐HD", ["qq", "音乐", "hd"]),
        ("Straße STRASSE", ["strasse", "strasse"]),
        ("हिन्दी समाचार", ["हिन्दी", "समाचार"]),
        ("카카오 톡", ["카카오", "톡"]),
        ("ﬁt①", ["fit1"]),
        ("a🎵b", ["a", "b"]),
    ],
)
def test_words_in_any_script(title, words):
    assert tokens(title) == words


@given(st.lists(st.text(max_size=20), max_size=6))
def test_titles_with_a_common_word_share_its_code(titles):
    codes, words = encode_titles(titles)
    assert codes.shape == (len(titles), WORDS)
    assert codes.max(initial=-1) < max(words, 1)
    for one in range(len(titles)):
        for other in range(one):
            shared = set(codes[one][codes[one] >= 0]) & set(codes[other][codes[other] >= 0])
            assert not shared or set(tokens(titles[one])) & set(tokens(titles[other]))
    everywhere = [set(tokens(title)) for title in titles]
    known = {word for words in everywhere for word in words if sum(word in w for w in everywhere) >= FEWEST_TITLES}
    assert words == len(known)


def test_titles_of_apps_are_features(lake, write):
    write["customers"](lake, 1)
    lake.write("apps", pa.table({"app": ["a", "b", "c"], "name": ["Chess live", "News LIVE", "Rain"]}))
    codes = read_features(lake, read_catalogue(lake)).codes["app"]
    assert codes[0, 0] == codes[1, 0] > 0
    assert not codes[2].any()
