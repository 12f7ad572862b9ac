"""Metaflow's commands that Headway does not have: each is one clear notice with what to type instead."""

from typing import NoReturn

import click

from headway.errors import UsageError

_START = (
    "Let a scheduler that you have (a Kubernetes CronJob, cron, Airflow) start "
    "`python flow.py run --with kubernetes`."
)
_ONE_TASK = (
    "To run one task again alone: `spin STEP`. Tasks of a run are started by `run` and `resume` alone."
)

#: What to do instead, by command.
LEFT = {
    "airflow": _START,
    "argo-workflows": _START,
    "step-functions": _START,
    "batch": "Run the steps as pods: `run --with kubernetes`.",
    "card": "`dump` and the client show what a task made, `logs` what it printed; a step may store pages as artifacts.",
    "init": _ONE_TASK,
    "spot-metadata": "`kubernetes list` shows pods, and a task's metadata holds what became of its pod.",
    "step": _ONE_TASK,
}


def left_commands() -> list[click.Command]:
    """The commands: they take whatever is typed behind them."""
    return [_left(name) for name in LEFT]


def _left(name: str) -> click.Command:
    def refuse(words: tuple[str, ...]) -> NoReturn:
        raise UsageError(f"Headway does not have the command {name}.", LEFT[name])

    return click.Command(
        name,
        params=[click.Argument(["words"], nargs=-1, type=click.UNPROCESSED)],
        callback=refuse,
        add_help_option=False,
        hidden=True,
        context_settings={"ignore_unknown_options": True},
    )
