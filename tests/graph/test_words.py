"""How numbers and names are spelled."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapemagic.graph.words import counted, cut, end_of_path, listed, number, visible


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"), (-0.0, "0"), (1 / 3, "0.3333"), (1e-20, "1e-20"), (123456.0, "123456"),
        (1234567.0, "1.235e+06"), (-1000.6, "-1001"),
        (math.nan, "nan"), (-math.inf, "-inf"), (7, "7"), (True, "True"), (1 - 0.5j, "1-0.5j"),
        (complex(-0.0, -0.0), "0+0j"), (10**400, "inf"),
    ],
)  # fmt: skip
def test_number(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"), ("a\tb", "a    b"), ("\x00", "\\x00"), ("a\u202eb", "a\\u202eb"),
        ("\ud800", "\\ud800"), ("\U000e0001", "\\Ue0001"), ("naïve λ 中", "naïve λ 中"),
        ("a\nb", "a\\x0ab"), ("\ufeff", "\\ufeff"),
    ],
)  # fmt: skip
def test_visible(text, shown):
    assert visible(text).replace("\\U000", "\\U") == shown.replace("\\U000", "\\U")


@given(st.text(max_size=200), st.integers(1, 60))
def test_visible_text_is_printable_short_and_encodable(text, limit):
    shown = visible(text, limit)
    assert len(shown) <= limit
    assert all(character.isprintable() or character == " " for character in shown) or any(
        character.isspace() for character in text
    )
    shown.encode("utf-8")


def test_cut_counts_code_points():
    assert cut("λμνξο", 5) == "λμνξο"
    assert cut("λμνξοπ", 5) == "λμνξ…"


def test_counts_and_lists():
    assert counted(1, "element") == "1 element"
    assert counted(1200, "entry", "entries") == "1,200 entries"
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(list("abcdef"), limit=2) == "a, b and 4 more"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("model/dense/kernel", "…se/kernel"),
        ("model/dense_1/kernel", "…_1/kernel"),
        ('layers["second"]', '…"second"]'),
        ("net.out.b", "net.out.b"),
        ("no_path_at_all", "no_path_at_all"),
    ],
)
def test_a_path_is_cut_at_its_left(name, shown):
    assert end_of_path(name, 10) == shown
