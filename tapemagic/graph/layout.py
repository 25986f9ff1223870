"""Boxes in, coordinates out: a layered layout that knows nothing of labels or colours.

Boxes come in an order in which wires only lead forward (tape order), so there are no cycles to
remove. Each box gets a rank by longest path and is pulled towards its consumers; a wire that
passes ranks by gets a bend point in each, which keeps it clear of the boxes there; barycentre
sweeps order each rank and a least-squares fit straightens the wires. No recursion, no randomness.

References
----------
Sugiyama, Tagawa and Toda (1981), "Methods for visual understanding of hierarchical system
structures"; the fit of one rank is the pool-adjacent-violators algorithm for isotonic regression.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tapemagic.graph.ordering import Layers, fit_across, order_layers

Point = tuple[float, float]

MOST_BENDS_PER_BOX = 6  # beyond it, long wires of a huge picture run straight


@dataclass(frozen=True, slots=True)
class Layout:
    """Coordinates of boxes (their top left corners) and wires (points along each)."""

    boxes: tuple[Point, ...]
    wires: tuple[tuple[Point, ...], ...]
    width: float
    height: float
    ranks: tuple[int, ...]


def layout(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[tuple[int, int]],
    *,
    direction: str = "right",
    tails: Sequence[float] = (),
    rank_gap: float = 40.0,
    box_gap: float = 24.0,
) -> Layout:
    """Place boxes and route wires.

    Parameters
    ----------
    sizes : sequence of (float, float)
        Width and height per box.
    edges : sequence of (int, int)
        Wires as (from, to), with from < to.
    direction : {"right", "down"}
        Where values flow.
    tails : sequence of float, optional
        Per box: free space behind it for what is written beside its wires.
    rank_gap, box_gap : float
        Free space between ranks, and between neighbours within a rank.

    Raises
    ------
    ValueError
        When an edge leads backwards or to a box that does not exist.
    """
    for start, end in edges:
        if not 0 <= start < end < len(sizes):
            raise ValueError(f"wire {start} -> {end} does not lead forward within the boxes")
    if not sizes:
        return Layout((), (), 0.0, 0.0, ())
    # Everything below works along the flow and across it; "down" swaps the two at the end.
    extents = [size if direction == "right" else size[::-1] for size in sizes]
    ranks = pulled_ranks(len(sizes), edges, longest_path_ranks(len(sizes), edges))
    layers, paths = with_bends(ranks, edges, [extent[1] for extent in extents], box_gap)
    order_layers(layers)
    across = fit_across(layers)
    begins, depths, ends = rank_positions(ranks, extents, tails or [0.0] * len(sizes), rank_gap)
    along = [
        begins[rank] + (depths[rank] - extent[0]) / 2
        for rank, extent in zip(ranks, extents, strict=True)
    ]
    low = min(across[box] - extents[box][1] / 2 for box in range(len(sizes)))
    across = [place - low for place in across]
    tops = [across[box] - extents[box][1] / 2 for box in range(len(sizes))]
    arrivals = arrival_ports(edges, paths, across, extents)
    wires = [
        wire_points(path, layers.rank, along, across, extents, begins, ends, arrivals[number])
        for number, path in enumerate(paths)
    ]
    points = [point for wire in wires for point in wire]
    far = max([tops[box] + extents[box][1] for box in range(len(sizes))] + [p[1] for p in points])
    near = min([0.0] + [point[1] for point in points])
    tops = [top - near for top in tops]
    wires = [tuple((x, y - near) for x, y in wire) for wire in wires]
    length, breadth = begins[-1] + depths[-1], far - near
    boxes = list(zip(along, tops, strict=True))
    if direction == "down":
        boxes = [(y, x) for x, y in boxes]
        wires = [tuple((y, x) for x, y in wire) for wire in wires]
        length, breadth = breadth, length
    return Layout(tuple(boxes), tuple(wires), length, breadth, tuple(ranks))


def longest_path_ranks(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """Rank of each box: one more than the highest rank that feeds it."""
    ranks = [0] * count
    for start, end in sorted(edges, key=lambda edge: edge[1]):
        ranks[end] = max(ranks[end], ranks[start] + 1)
    return ranks


def pulled_ranks(count: int, edges: Sequence[tuple[int, int]], ranks: list[int]) -> list[int]:
    """Move boxes up to the rank before their first consumer, where that makes wires shorter."""
    pulled = list(ranks)
    consumers: list[set[int]] = [set() for _ in range(count)]
    feeding = [0] * count
    for start, end in set(edges):
        consumers[start].add(end)
        feeding[end] += 1
    for box in range(count - 1, -1, -1):
        # Each rank moved shortens one wire per consumer and lengthens one per operand.
        if (consumers[box] and feeding[box] < len(consumers[box])) or not feeding[box]:
            pulled[box] = min((pulled[end] - 1 for end in consumers[box]), default=ranks[box])
    return pulled


def with_bends(
    ranks: Sequence[int],
    edges: Sequence[tuple[int, int]],
    breadths: Sequence[float],
    box_gap: float,
) -> tuple[Layers, list[list[int]]]:
    """Add a bend point in each rank that a wire passes by.

    Wires of one box share their bends, so that a value used in many places leaves as one wire.

    Returns
    -------
    layers : Layers
        Boxes first, then bends.
    paths : list of list of int
        Per wire: the box it leaves, the bends it passes, the box it enters.
    """
    layers = Layers(list(ranks), list(breadths), box_gap)
    budget = MOST_BENDS_PER_BOX * len(ranks) + 1000
    shared: dict[tuple[int, int], int] = {}
    linked: set[tuple[int, int]] = set()
    paths: list[list[int]] = []
    for start, end in edges:
        path = [start]
        gap = ranks[end] - ranks[start] - 1
        if gap <= budget:
            for rank in range(ranks[start] + 1, ranks[end]):
                bend = shared.get((start, rank))
                if bend is None:
                    bend = shared[start, rank] = layers.add_bend(rank)
                path.append(bend)
            budget -= gap
        path.append(end)
        for pair in pairwise(path):
            if pair not in linked:
                linked.add(pair)
                layers.link(*pair)
        paths.append(path)
    return layers, paths


def rank_positions(
    ranks: Sequence[int],
    extents: Sequence[tuple[float, float]],
    tails: Sequence[float],
    rank_gap: float,
) -> tuple[list[float], list[float], list[float]]:
    """Where each rank begins, how deep its deepest box is, and where its last words end."""
    depths, behind = [0.0] * (max(ranks) + 1), [0.0] * (max(ranks) + 1)
    for rank, extent, tail in zip(ranks, extents, tails, strict=True):
        depths[rank] = max(depths[rank], extent[0])
        # A box stands in the middle of its rank: half of what the rank is deeper is free already.
        behind[rank] = max(behind[rank], tail + extent[0] / 2)
    begins, ends, place = [], [], 0.0
    for depth, free in zip(depths, behind, strict=True):
        begins.append(place)
        ends.append(place + max(depth / 2 + free, depth))
        place = ends[-1] + rank_gap
    return begins, depths, ends


def arrival_ports(
    edges: Sequence[tuple[int, int]],
    paths: Sequence[Sequence[int]],
    across: Sequence[float],
    extents: Sequence[tuple[float, float]],
) -> list[float]:
    """Where on its box each wire arrives: side by side, in the order they come from."""
    arriving: dict[int, list[int]] = {}
    for number, (_, end) in enumerate(edges):
        arriving.setdefault(end, []).append(number)
    ports = [0.0] * len(edges)
    for end, numbers in arriving.items():
        numbers.sort(key=lambda number: (across[paths[number][-2]], number))
        breadth = extents[end][1]
        step = min(18.0, breadth * 0.7 / len(numbers))
        for place, number in enumerate(numbers):
            ports[number] = across[end] + (place - (len(numbers) - 1) / 2) * step
    return ports


def wire_points(
    path: Sequence[int],
    rank: Sequence[int],
    along: Sequence[float],
    across: Sequence[float],
    extents: Sequence[tuple[float, float]],
    begins: Sequence[float],
    ends: Sequence[float],
    arrival: float,
) -> tuple[Point, ...]:
    """Points of one wire; it passes each rank on a straight line, and changes lanes in between.

    Behind a box stand the words of its neighbours: a wire that turned there would cross them.
    """
    start, *bends, end = path
    points = [(along[start] + extents[start][0], across[start]), (ends[rank[start]], across[start])]
    for bend in bends:
        begin = begins[rank[bend]]
        points += [(begin, across[bend]), (ends[rank[bend]], across[bend])]
    points.append((along[end], arrival))
    return tuple(points)
