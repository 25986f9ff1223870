"""Order and position within the ranks of a layered layout."""

from __future__ import annotations

from collections.abc import Sequence

ORDER_SWEEPS = 8
FIT_SWEEPS = 9  # odd: the last one runs with the flow, so that chains end up straight
BEND_BREADTH = 8.0
BEND_GAP = 10.0
BEND_WEIGHT = 4.0  # a long wire should be straight before short ones are
HELD = 1e6  # what is to stay while leaves move
LEAF_PULL = 0.01  # a leaf comes to its user, not the user to the leaf: chains stay straight


class Layers:
    """Members (boxes, then bends) with rank, breadth across the flow, and links between ranks.

    Parameters
    ----------
    rank, breadth : list
        Per box.
    gap : float
        Free space between two boxes of one rank.
    """

    def __init__(self, rank: list[int], breadth: list[float], gap: float) -> None:
        self.boxes = len(rank)
        self.rank = rank
        self.breadth = breadth
        self.gap = gap
        self.before: list[list[int]] = [[] for _ in rank]
        self.after: list[list[int]] = [[] for _ in rank]
        self.rows: list[list[int]] = [[] for _ in range(max(rank) + 1)]
        for member, place in enumerate(rank):
            self.rows[place].append(member)

    def add_bend(self, rank: int) -> int:
        """Add a bend point to a rank."""
        member = len(self.rank)
        self.rank.append(rank)
        self.breadth.append(BEND_BREADTH)
        self.before.append([])
        self.after.append([])
        self.rows[rank].append(member)
        return member

    def link(self, start: int, end: int) -> None:
        """Join two members by a piece of wire."""
        self.after[start].append(end)
        self.before[end].append(start)

    def distance(self, upper: int, lower: int) -> float:
        """Least distance between the centres of two neighbours."""
        gap = self.gap if upper < self.boxes and lower < self.boxes else BEND_GAP
        return (self.breadth[upper] + self.breadth[lower]) / 2 + gap


def order_layers(layers: Layers) -> None:
    """Order each rank by the barycentre of its neighbours, back and forth; keep the best."""
    place = [0.0] * len(layers.rank)
    for row in layers.rows:
        renumber(row, place)
    best, fewest = [list(row) for row in layers.rows], crossings(layers, place)
    for sweep in range(ORDER_SWEEPS):
        if not fewest:
            break
        backward = sweep % 2 == 0  # first towards the consumers: they decide where leaves belong
        neighbours = layers.after if backward else layers.before
        for row in layers.rows[::-1] if backward else layers.rows:
            means = {member: barycentre(member, neighbours[member], place) for member in row}
            row.sort(key=means.__getitem__)
            renumber(row, place)
        count = crossings(layers, place)
        if count < fewest:
            best, fewest = [list(row) for row in layers.rows], count
    layers.rows[:] = best


def renumber(row: Sequence[int], place: list[float]) -> None:
    """Write down the order of one rank, as fractions so that ranks of any length compare."""
    for number, member in enumerate(row):
        place[member] = (number + 0.5) / len(row)


def barycentre(member: int, neighbours: Sequence[int], place: Sequence[float]) -> float:
    """Mean place of the neighbours; a member without any stays where it is."""
    if not neighbours:
        return place[member]
    return sum(place[other] for other in neighbours) / len(neighbours)


def crossings(layers: Layers, place: Sequence[float]) -> int:
    """Count crossing pairs of wire pieces between neighbouring ranks (inversions, by a tree)."""
    total = 0
    for row in layers.rows:
        ends = [
            place[end]
            for start in sorted(row, key=place.__getitem__)
            for end in sorted(layers.after[start], key=place.__getitem__)
        ]
        total += inversions(ends)
    return total


def inversions(values: Sequence[float]) -> int:
    """Count pairs that stand in the wrong order, with a Fenwick tree.

    Examples
    --------
    >>> inversions([1, 3, 2]), inversions([3, 2, 1]), inversions([1, 1])
    (1, 3, 0)
    """
    spot = {value: number + 1 for number, value in enumerate(sorted(set(values)))}
    tree = [0] * (len(spot) + 1)
    total = 0
    for seen, value in enumerate(values):
        number = spot[value]
        smaller = 0
        while number:
            smaller += tree[number]
            number -= number & -number
        total += seen - smaller
        number = spot[value]
        while number < len(tree):
            tree[number] += 1
            number += number & -number
    return total


def fit_across(layers: Layers) -> list[float]:
    """Centre of each member across the flow: near its neighbours, never overlapping."""
    across = [0.0] * len(layers.rank)
    for row in layers.rows:
        place = 0.0
        for number, member in enumerate(row):
            place += layers.distance(row[number - 1], member) if number else 0.0
            across[member] = place
        middle = place / 2
        for member in row:
            across[member] -= middle
    for sweep in range(FIT_SWEEPS):
        forward = sweep % 2 == 0
        for row in layers.rows if forward else layers.rows[::-1]:
            fit_row(layers, row, across, forward)
    for row in layers.rows[::-1]:
        fit_row(layers, row, across, forward=False, leaves_only=True)
    return across


def pull(layers: Layers, member: int) -> float:
    """How strongly a member attracts its neighbours, and holds its own place."""
    lone = member < layers.boxes and not layers.before[member] and len(layers.after[member]) == 1
    return LEAF_PULL if lone else 1.0


def fit_row(
    layers: Layers,
    row: Sequence[int],
    across: list[float],
    forward: bool,
    leaves_only: bool = False,
) -> None:
    """Least-squares positions of one rank, given those of the rank before (or after) it.

    With the offsets that the distances demand taken away, "no overlap" says that positions do not
    decrease: isotonic regression, solved by pooling neighbours that violate it.
    """
    pools: list[list[float]] = []  # [mean, weight, members]
    offsets: list[float] = []
    offset = 0.0
    for number, member in enumerate(row):
        offset += layers.distance(row[number - 1], member) if number else 0.0
        offsets.append(offset)
        near, far = layers.before[member], layers.after[member]
        neighbours = (near or far) if forward else (far or near)
        if leaves_only and near:
            wanted, weight = across[member], HELD
        elif neighbours:
            pulls = [pull(layers, other) for other in neighbours]
            wanted = sum(
                strength * across[other] for strength, other in zip(pulls, neighbours, strict=True)
            ) / sum(pulls)
            weight = (
                BEND_WEIGHT if member >= layers.boxes else len(neighbours) * pull(layers, member)
            )
        else:
            wanted, weight = across[member], 0.01
        mean, members = wanted - offset, 1.0
        while pools and pools[-1][0] > mean:
            other, heavy, many = pools.pop()
            mean = (mean * weight + other * heavy) / (weight + heavy)
            weight += heavy
            members += many
        pools.append([mean, weight, members])
    number = 0
    for mean, _, members in pools:
        for _ in range(int(members)):
            across[row[number]] = mean + offsets[number]
            number += 1
