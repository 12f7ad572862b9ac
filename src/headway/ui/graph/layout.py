"""Places for the steps of a graph: rows from start to end, few crossings, edges as straight as may be.

The usual way in four passes (Sugiyama, Tagawa, Toda 1981): rows by longest path, helpers where an edge
passes a row, order by the mean of the neighbours, places by least squares that keep the order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from headway.flow.graph import Graph
from headway.ui.graph.words import Edge, edges

_SWEEPS = 24
#: How much more a straight edge counts than a centred step.
_STRAIGHT = 6


@dataclass(frozen=True)
class Layout:
    """Where everything is.

    Attributes:
        centres: Of each step: x of its centre, and the number of its row.
        routes: Each edge that leads on, and the (x, row) it passes through, its ends included.
        back: Edges that lead back or to the same step.
        rows: How many rows there are.
    """

    centres: Mapping[str, tuple[float, int]]
    routes: Sequence[tuple[Edge, tuple[tuple[float, int], ...]]]
    back: Sequence[Edge]
    rows: int


def lay_out(graph: Graph, widths: Mapping[str, float], gap: float) -> Layout:
    """Find a place for every step.

    Args:
        graph: The graph.
        widths: How wide each step is drawn.
        gap: The least space between two neighbours.
    """
    order = [node.name for node in graph.in_order()]
    number = {name: index for index, name in enumerate(order)}
    every = [edge for edge in edges(graph) if edge.source in number and edge.target in number]
    onward = [edge for edge in every if number[edge.target] > number[edge.source]]
    row = _rows(order, onward)
    chains = [_chain(index, edge, row) for index, edge in enumerate(onward)]
    grid = _grid(order, row, chains)
    above, below = _neighbours(chains)
    _untangle(grid, above, below)
    wide = {name: widths.get(name, gap) for names in grid for name in names}
    x = _places(grid, above, below, wide, gap)
    left = min(x[name] - wide[name] / 2 for name in x)
    x = {name: place - left for name, place in x.items()}
    at = {name: index for index, names in enumerate(grid) for name in names}
    return Layout(
        {name: (x[name], row[name]) for name in order},
        [
            (edge, tuple((x[name], at[name]) for name in chain))
            for edge, chain in zip(onward, chains, strict=True)
        ],
        [edge for edge in every if number[edge.target] <= number[edge.source]],
        len(grid),
    )


def _rows(order: Sequence[str], onward: Sequence[Edge]) -> dict[str, int]:
    row = dict.fromkeys(order, 0)
    for name in order:
        for edge in onward:
            if edge.source == name:
                row[edge.target] = max(row[edge.target], row[name] + 1)
    return row


def _chain(index: int, edge: Edge, row: Mapping[str, int]) -> list[str]:
    """The edge's ends, and a helper in each row between them; no step is called so."""
    helpers = [f"{index}.{each}" for each in range(row[edge.source] + 1, row[edge.target])]
    return [edge.source, *helpers, edge.target]


def _is_helper(name: str) -> bool:
    return "." in name


def _grid(order: Sequence[str], row: Mapping[str, int], chains: Sequence[Sequence[str]]) -> list[list[str]]:
    grid: list[list[str]] = [[] for _ in range(max(row.values()) + 1)]
    for name in order:
        grid[row[name]].append(name)
    for chain in chains:
        for offset, helper in enumerate(chain[1:-1], 1):
            grid[row[chain[0]] + offset].append(helper)
    return grid


def _neighbours(chains: Sequence[Sequence[str]]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for chain in chains:
        for upper, lower in pairwise(chain):
            above.setdefault(lower, []).append(upper)
            below.setdefault(upper, []).append(lower)
    return above, below


def _untangle(grid: list[list[str]], above: Mapping[str, list[str]], below: Mapping[str, list[str]]) -> None:
    """Order each row by where the neighbours stand, down and up in turn, and keep the order with fewest crossings."""
    best, fewest = [list(names) for names in grid], _crossings(grid, below)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        near = above if down else below
        for index in range(1, len(grid)) if down else range(len(grid) - 2, -1, -1):
            beside = grid[index - 1] if down else grid[index + 1]
            grid[index] = _sorted(grid[index], beside, near)
        crossings = _crossings(grid, below)
        if crossings < fewest:
            best, fewest = [list(names) for names in grid], crossings
    grid[:] = best


def _sorted(names: Sequence[str], beside: Sequence[str], near: Mapping[str, list[str]]) -> list[str]:
    """A row in the order of the mean place of each one's neighbours in the row beside it."""
    place = {name: float(at) for at, name in enumerate(beside)}
    means = [_mean([place[each] for each in near.get(name, ())], float(at)) for at, name in enumerate(names)]
    return [names[at] for at in sorted(range(len(names)), key=lambda at: (means[at], at))]


def _crossings(grid: Sequence[Sequence[str]], below: Mapping[str, list[str]]) -> int:
    count = 0
    for upper, lower in pairwise(grid):
        place = {name: at for at, name in enumerate(lower)}
        ends = [sorted(place[each] for each in below.get(name, ())) for name in upper]
        for index, left in enumerate(ends):
            for right in ends[index + 1 :]:
                count += sum(a > b for a in left for b in right)
    return count


def _places(
    grid: Sequence[Sequence[str]],
    above: Mapping[str, list[str]],
    below: Mapping[str, list[str]],
    widths: Mapping[str, float],
    gap: float,
) -> dict[str, float]:
    x: dict[str, float] = {}
    for names in grid:
        x.update(_apart(names, [0.0] * len(names), widths, gap))
    for sweep in range(_SWEEPS):
        near = (above, below)[sweep % 2] if sweep < _SWEEPS - 2 else None
        for names in grid if sweep % 2 == 0 else reversed(grid):
            wanted = []
            for name in names:
                beside = (
                    near.get(name, ()) if near is not None else [*above.get(name, ()), *below.get(name, ())]
                )
                # An edge that passes several rows is to pass them straight.
                straight = [each for each in beside if _is_helper(each) and _is_helper(name)]
                wanted.append(_mean([x[each] for each in (*beside, *straight * _STRAIGHT)], x[name]))
            x.update(_apart(names, wanted, widths, gap))
    return x


def _apart(
    names: Sequence[str], wanted: Sequence[float], widths: Mapping[str, float], gap: float
) -> dict[str, float]:
    """Places as near as possible to the wanted ones, in this order and with space between them.

    Without the space that each needs from the first it is a matter of making numbers ascend, which
    pooling neighbours that do not solves exactly.
    """
    offsets: list[float] = []
    for index, name in enumerate(names):
        before = offsets[-1] + (widths[names[index - 1]] + widths[name]) / 2 + gap if index else 0.0
        offsets.append(before)
    pools: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        pools.append((want - offset, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (last, several), (value, count) = pools.pop(), pools.pop()
            pools.append(((value * count + last * several) / (count + several), count + several))
    flat = [value for value, count in pools for _ in range(count)]
    return {name: value + offset for name, value, offset in zip(names, flat, offsets, strict=True)}


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
