"""The words of ``kubernetes list``, ``kubernetes kill`` and ``kubernetes sweep``."""

from typing import Any

import click


def kubernetes_group() -> click.Group:
    """The three commands."""

    # What talks to clusters is not loaded by the commands that do not.
    def list_(**values: Any) -> None:
        from headway.cli import commands_kubernetes

        commands_kubernetes.list_(**values)

    def kill(**values: Any) -> None:
        from headway.cli import commands_kubernetes

        commands_kubernetes.kill(**values)

    def sweep(**values: Any) -> None:
        from headway.cli import commands_kubernetes

        commands_kubernetes.sweep(**values)

    which = [
        click.Option(["--run-id"], metavar="ID", help="Of this run [default: the newest started from here]."),
        click.Option(["--my-runs"], is_flag=True, help="Of all your runs of this flow."),
        click.Option(["--user"], metavar="NAME", help="Of all runs of this flow that somebody started."),
    ]
    return click.Group(
        "kubernetes",
        help="Show or end the flow's pods, tidy up after them.",
        commands=[
            click.Command("list", params=list(which), callback=list_, help="List pods with their state."),
            click.Command(
                "kill", params=list(which), callback=kill, help="End pods, and their runs with them."
            ),
            click.Command(
                "sweep",
                params=[click.Option(["--dry-run"], is_flag=True, help="Only say what would go.")],
                callback=sweep,
                help="Delete what runs that are over left behind: lent credentials, old runtimes.",
            ),
        ],
    )
