"""Every combination of shape and feature that makes sense, and a fair sample of them."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from matrix.feature import Feature
from matrix.features import FEATURES
from matrix.graph import Shape
from matrix.shapes import SHAPES


@dataclass(frozen=True)
class Case:
    """A shape with a feature."""

    shape: Shape
    feature: Feature

    @property
    def id(self) -> str:
        return f"{self.shape.name}-{self.feature.name}"

    @property
    def group(self) -> tuple[str, str]:
        """Cases of one group share a flow."""
        return self.shape.name, self.feature.group

    @property
    def modes(self) -> list[str]:
        return self.feature.modes(self.shape)


#: All there are.
CASES = tuple(
    Case(shape, feature) for shape in SHAPES for feature in FEATURES if not feature.senseless(shape)
)


#: The groups of features that the shapes of a sample have in turn: most features are in the first.
_TURNS = ("plain", "merging", "plain", "tried", "plain", "caught")


def sample(size: int, seed: int, flows: int, fits: Callable[[Case], bool] = lambda _: True) -> list[Case]:
    """Some cases, the same for the same seed; none of their features comes twice before all came once.

    Args:
        size: How many, at most.
        seed: Of the choice.
        flows: How many shapes take part, each with one flow: what a sample costs.
        fits: Whether a case may be part of it.
    """
    dice = random.Random(seed)
    left: list[Case] = []
    for number, shape in enumerate(dice.sample(SHAPES, flows)):
        fitting = [case for case in CASES if case.shape is shape and fits(case)]
        group = _TURNS[number % len(_TURNS)]
        if not any(case.feature.group == group for case in fitting):
            group = "plain"
        left += [case for case in fitting if case.feature.group == group]
    dice.shuffle(left)
    chosen: list[Case] = []
    shapes: Counter[str] = Counter()
    features: Counter[str] = Counter()
    while left and len(chosen) < size:
        case = min(left, key=lambda each: (features[each.feature.name], shapes[each.shape.name]))
        left.remove(case)
        chosen.append(case)
        shapes[case.shape.name] += 1
        features[case.feature.name] += 1
    return [case for case in CASES if case in chosen]
