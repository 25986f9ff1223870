import collections
import dataclasses

import pytest

from tapemagic.autodiff.structures import leaves, map_leaves, rebuild

Pair = collections.namedtuple("Pair", "a b")  # noqa: PYI024  (what users write)


@dataclasses.dataclass(frozen=True)
class Frozen:
    weight: object
    count: int = 3
    activation: object = len
    derived: object = dataclasses.field(default=None, init=False)


@pytest.mark.parametrize(
    ("structure", "found"),
    [
        (1.0, [1.0]),
        ([1.0, [2.0, (3.0,)]], [1.0, 2.0, 3.0]),
        ({"a": 1.0, "b": {"c": 2.0}}, [1.0, 2.0]),
        (Pair(1.0, [2.0]), [1.0, 2.0]),
        (Frozen(1.0), [1.0]),
        ([], []),
        ([None, 1.0], [1.0]),
    ],
)
def test_leaves(structure, found):
    assert leaves(structure) == found


def test_rebuild_keeps_types():
    structure = {"a": [1.0, (2.0,)], "b": Pair(3.0, None), "c": Frozen(4.0)}
    again = rebuild(structure, [10.0, 20.0, 30.0, 40.0])
    assert again == {"a": [10.0, (20.0,)], "b": Pair(30.0, None), "c": Frozen(40.0)}
    assert type(again["b"]) is Pair
    assert again["c"].count == 3
    assert again["c"].activation is len


def test_map_leaves_leaves_the_original_alone():
    structure = {"a": [1.0]}
    assert map_leaves(lambda x: x + 1, structure) == {"a": [2.0]}
    assert structure == {"a": [1.0]}


def test_like_goes_no_deeper():
    assert leaves([1.0, 2.0], like=3.0) == [[1.0, 2.0]]
    assert leaves([[1.0, 2.0], 3.0], like=[0.0, 0.0]) == [[1.0, 2.0], 3.0]


def test_like_pairs_dicts_by_key():
    assert leaves({"b": 2.0, "a": 1.0}, like={"a": 0.0, "b": 0.0}) == [1.0, 2.0]
    with pytest.raises(ValueError, match="Keys"):
        leaves({"c": 2.0}, like={"a": 0.0})
