"""``tag``: the words that are typed; what they do is in :mod:`headway.cli.commands_tag`."""

from typing import Any

import click

from headway.cli.context import program


def tag_group() -> click.Group:
    """``tag add``, ``tag remove``, ``tag replace`` and ``tag list``."""
    return click.Group(
        "tag",
        help="Give tags to runs, take them away, list them.",
        commands=[_add(), _remove(), _replace(), _list()],
    )


def _which_run() -> list[click.Parameter]:
    return [
        click.Option(["--run-id"], metavar="RUN", help="The run. Has to be given."),
        click.Option(
            ["--namespace", "namespace"],
            metavar="NAME",
            help='The user namespace in which the run must be, "" for any [default: your own].',
        ),
    ]


def _tags() -> click.Argument:
    return click.Argument(["tags"], nargs=-1, required=True, metavar="TAG…")


# Each loads what reads datastores only once it is called.
def _add() -> click.Command:
    def add(**values: Any) -> None:
        from headway.cli import commands_tag

        commands_tag.add(program(), **values)

    return click.Command("add", params=[*_which_run(), _tags()], callback=add, help="Give a run tags.")


def _remove() -> click.Command:
    def remove(**values: Any) -> None:
        from headway.cli import commands_tag

        commands_tag.remove(program(), **values)

    help_ = "Take tags away from a run."
    return click.Command("remove", params=[*_which_run(), _tags()], callback=remove, help=help_)


def _replace() -> click.Command:
    def replace(**values: Any) -> None:
        from headway.cli import commands_tag

        commands_tag.replace(program(), **values)

    return click.Command(
        "replace",
        params=[
            *_which_run(),
            click.Option(["--add", "added"], multiple=True, metavar="TAG", help="A tag to give."),
            click.Option(["--remove", "removed"], multiple=True, metavar="TAG", help="A tag to take away."),
        ],
        callback=replace,
        help="Take tags away from a run and give it others, in one change.",
    )


def _list() -> click.Command:
    def list_(**values: Any) -> None:
        from headway.cli import commands_tag

        commands_tag.list_tags(program(), **values)

    return click.Command(
        "list",
        params=[
            click.Option(["--run-id"], metavar="RUN", help="Only this run's."),
            click.Option(
                ["--all", "all_runs"], is_flag=True, help="Those of all runs of the flow; the default."
            ),
            click.Option(["--my-runs"], is_flag=True, help="Those of all your runs of the flow."),
            click.Option(["--hide-system-tags"], is_flag=True, help="Only those that people gave."),
            click.Option(["--group-by-tag"], is_flag=True, help="For each tag the runs that have it."),
            click.Option(["--group-by-run"], is_flag=True, help="For each run its tags."),
            click.Option(["--flat"], is_flag=True, hidden=True, help="A tag a line, and nothing else."),
            click.Argument(["run"], required=False, metavar="[RUN]"),
        ],
        callback=list_,
        help="List tags.",
    )
