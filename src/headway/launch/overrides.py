"""``--override [STEP:]KEY=VALUE,…``: settings that win over all that is written anywhere else."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from headway.config.fields import settings_of
from headway.config.kubernetes import KubernetesSettings
from headway.config.resolve import Layer
from headway.errors import UsageError
from headway.flow.late import pairs

_STEP = re.compile(r"(\w+):(?=\w+=)")


@dataclass(frozen=True)
class Override:
    """One ``--override``.

    Attributes:
        text: As typed.
        step: The step that it is for, None for all that run as pods.
        values: Setting to value.
    """

    text: str
    step: str | None
    values: Mapping[str, object]


def parse_override(text: str) -> Override:
    """Read one ``--override``; whether the settings exist and what they may be is the resolver's to say.

    Raises:
        UsageError: It is not of the form ``[STEP:]KEY=VALUE,…``.
    """
    known = {name for item in settings_of(KubernetesSettings).values() for name in (item.name, *item.aliases)}
    begin = _STEP.match(text)
    values: dict[str, object] = {}
    for key, _, value in pairs(text[begin.end() :] if begin else text, f"--override {text}", known):
        if key in values:
            raise UsageError(f"--override {text}: '{key}' is given twice.", "Give it once.")
        values[key] = value
    if not values:
        raise UsageError(
            f"--override {text}: there is nothing to override in it.",
            "Write --override memory=8000 for all steps, --override train:memory=8000 for one.",
        )
    return Override(text, begin.group(1) if begin else None, values)


def check_overrides(overrides: Iterable[Override], steps: Sequence[str], remote: Sequence[str]) -> None:
    """Refuse what would have no effect.

    Args:
        overrides: What was typed.
        steps: The flow's steps.
        remote: Those that run as pods.

    Raises:
        UsageError: A step is not there or runs on this machine, or no step runs as a pod.
    """
    for override in overrides:
        step = override.step
        if step is not None and step not in steps:
            raise UsageError(
                f"--override {override.text}: the flow has no step {step}; it has {', '.join(steps)}."
            )
        if not remote or (step is not None and step not in remote):
            where = f"step {step} runs" if step is not None else "every step runs"
            raise UsageError(
                f"--override {override.text}: {where} on this machine, and a pod's settings mean nothing there.",
                "Add --with kubernetes, or @kubernetes to the step.",
            )


def layer_for(step: str, overrides: Iterable[Override]) -> Layer | None:
    """What the overrides say of one step, the last one winning; None where they say nothing."""
    # One for this step is meant more closely than one for all, wherever it stands.
    mine = sorted((each for each in overrides if each.step in (None, step)), key=lambda each: bool(each.step))
    if not mine:
        return None
    values = {key: value for each in mine for key, value in each.values.items()}
    return Layer(values, " ".join(f"--override {each.text}" for each in mine))
