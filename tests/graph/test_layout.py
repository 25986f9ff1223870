"""Coordinates: nothing overlaps, wires lead forward and round the boxes, the same every time."""

import time
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapemagic.graph.layout import layout, longest_path_ranks, pulled_ranks
from tapemagic.graph.ordering import inversions


@st.composite
def pictures(draw):
    count = draw(st.integers(1, 14))
    sizes = [(draw(st.integers(20, 200)), draw(st.integers(20, 90))) for _ in range(count)]
    edges = [
        (draw(st.integers(0, end - 1)), end)
        for end in range(1, count)
        for _ in range(draw(st.integers(0, 3)))
    ]
    return sizes, edges


def rectangles(placed, sizes):
    return [(x, y, x + w, y + h) for (x, y), (w, h) in zip(placed.boxes, sizes, strict=True)]


@given(pictures(), st.sampled_from(["right", "down"]))
def test_boxes_never_overlap_and_stay_on_the_page(picture, direction):
    sizes, edges = picture
    placed = layout(sizes, edges, direction=direction)
    boxes = rectangles(placed, sizes)
    for one, other in combinations(boxes, 2):
        apart = (
            one[2] <= other[0] + 1e-6 or other[2] <= one[0] + 1e-6
            or one[3] <= other[1] + 1e-6 or other[3] <= one[1] + 1e-6
        )  # fmt: skip
        assert apart
    for left, top, right, bottom in boxes:
        assert min(left, top) >= -1e-6
        assert right <= placed.width + 1e-6
        assert bottom <= placed.height + 1e-6


@given(pictures(), st.sampled_from(["right", "down"]))
def test_wires_go_from_box_to_box_along_the_flow(picture, direction):
    sizes, edges = picture
    placed = layout(sizes, edges, direction=direction)
    boxes = rectangles(placed, sizes)
    axis = 0 if direction == "right" else 1
    for (start, end), wire in zip(edges, placed.wires, strict=True):
        along = [point[axis] for point in wire]
        assert along == sorted(along)
        assert along[0] == pytest.approx(boxes[start][axis + 2])
        assert along[-1] == pytest.approx(boxes[end][axis])
        assert boxes[end][1 - axis] <= wire[-1][1 - axis] <= boxes[end][3 - axis]


@given(pictures(), st.floats(1, 90))
def test_a_wire_changes_lanes_behind_the_longest_words_of_its_rank(picture, longest):
    sizes, edges = picture
    tails = [longest / (box + 1) for box in range(len(sizes))]
    placed = layout(sizes, edges, tails=tails)
    boxes = rectangles(placed, sizes)
    for (start, _), wire in zip(edges, placed.wires, strict=True):
        peers = [box for box, rank in enumerate(placed.ranks) if rank == placed.ranks[start]]
        assert wire[0][1] == wire[1][1]
        assert wire[1][0] >= max(boxes[box][2] + tails[box] for box in peers) - 1e-6


@given(pictures())
def test_no_wire_runs_through_a_box_of_a_rank_that_it_passes(picture):
    sizes, edges = picture
    placed = layout(sizes, edges)
    boxes = rectangles(placed, sizes)
    for (start, end), wire in zip(edges, placed.wires, strict=True):
        for (x1, y1), (x2, y2) in zip(wire[:-1:2], wire[1:-1:2], strict=True):
            assert y1 == y2
            for number, (left, top, right, bottom) in enumerate(boxes):
                if number not in (start, end) and x1 < right and left < x2:
                    assert not top < y1 < bottom


@given(pictures())
def test_the_same_input_gives_the_same_coordinates(picture):
    assert layout(*picture) == layout(*picture)


def test_ranks_by_longest_path_with_leaves_at_their_users():
    edges = [(0, 2), (2, 3), (3, 4), (1, 4)]
    ranks = longest_path_ranks(5, edges)
    assert ranks == [0, 0, 1, 2, 3]
    assert pulled_ranks(5, edges, ranks) == [0, 2, 1, 2, 3]


def test_a_chain_is_straight():
    placed = layout([(40, 40), (90, 30), (20, 60)], [(0, 1), (1, 2)])
    middles = [y + h / 2 for (_, y), h in zip(placed.boxes, (40, 30, 60), strict=True)]
    assert max(middles) - min(middles) < 1e-6


@pytest.mark.parametrize("edge", [(1, 1), (2, 1), (0, 3), (-1, 1)])
def test_a_wire_must_lead_forward(edge):
    with pytest.raises(ValueError, match="does not lead forward"):
        layout([(10, 10)] * 3, [edge])


def test_an_empty_picture():
    assert layout([], []).boxes == ()


@pytest.mark.parametrize("shape", ["chain", "fan", "ladder"])
def test_thousands_of_boxes_take_about_a_second(shape):
    count = 5000
    inner = range(1, count - 1)
    edges = {
        "chain": [(k - 1, k) for k in range(1, count)] + [(0, k) for k in range(2, count, 3)],
        "fan": [(0, k) for k in inner] + [(k, count - 1) for k in inner],
        "ladder": [(max(k - d, 0), k) for k in range(1, count) for d in (1, 7)],
    }[shape]  # fmt: skip
    begin = time.process_time()
    layout([(100, 40)] * count, edges)
    assert time.process_time() - begin < 5  # about one on an idle machine


@given(st.lists(st.integers(0, 9), max_size=30))
def test_inversions(values):
    assert inversions(values) == sum(a > b for a, b in combinations(values, 2))


def test_leaves_beside_a_chain_do_not_push_it_aside():
    links = 9
    chain = [0, *(2 * k + 2 for k in range(links))]
    leaves = [2 * k + 1 for k in range(links)]
    edges = [*pairwise(chain), *zip(leaves, chain[1:], strict=True)]
    placed = layout([(120.0, 40.0)] * (2 * links + 1), edges, direction="down")
    across = [placed.boxes[box][0] for box in chain[1:]]
    assert max(across) - min(across) < 20
