"""The command line of a flow, and its small commands; the others' words stand in modules of their own."""

import shutil
from collections.abc import Container, Mapping
from typing import Any

import click
from msgspec.structs import asdict

from headway.cli.beforehand_commands import config_group, doctor_command, package_group
from headway.cli.configs import config_options
from headway.cli.context import PROGRAM, program
from headway.cli.decorator_options import decorator_options
from headway.cli.describe import DESCRIBE, describe_command
from headway.cli.kubernetes_commands import kubernetes_group
from headway.cli.launch_commands import attach_command, resume_command, run_command
from headway.cli.left_commands import left_commands
from headway.cli.output_commands import output_commands
from headway.cli.program import Program
from headway.cli.read_commands import dump_command, logs_group
from headway.cli.shared_options import top_options
from headway.cli.show import print_graph
from headway.cli.spin_command import spin_command
from headway.cli.tag_commands import tag_group
from headway.cli.taken_options import environment_notice, taken_options, unfitting
from headway.cli.variables import name_variables
from headway.config.misspelt import misspelt_notices
from headway.config.unused import unused_notice
from headway.flow.flow_decorators import flow_decorators_of
from headway.flow.parameters import Parameter
from headway.version import VERSION


def build(
    flow_class: Any, parameters: Mapping[str, Parameter], decorators: Container[str] | None = None
) -> click.Group:
    """The command line of one flow class.

    Args:
        flow_class: The class.
        parameters: Its parameters by attribute, as far as they are known.
        decorators: The names of its own decorators, where mutators may have changed them.
    """
    names = flow_decorators_of(flow_class) if decorators is None else decorators
    group = click.Group(
        name=flow_class.__name__,
        help=(flow_class.__doc__ or f"The flow {flow_class.__name__}.").strip(),
        params=[
            *top_options(),
            *config_options(flow_class),
            *decorator_options(names),
            *taken_options(),
        ],
        callback=_begin,
        invoke_without_command=True,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": _width()},
    )
    for command in (
        run_command(parameters),
        resume_command(parameters),
        attach_command(),
        spin_command(),
        click.Command(
            "check",
            params=[
                click.Option(
                    ["--warnings/--no-warnings"],
                    default=False,
                    help="Taken for the sake of scripts; what is wrong is always told.",
                )
            ],
            callback=check,
            help="Check the flow without running anything.",
        ),
        click.Command("show", callback=show, help="Show the flow's steps and what they do."),
        logs_group(),
        dump_command(),
        *output_commands(),
        tag_group(),
        package_group(),
        config_group(),
        kubernetes_group(),
        doctor_command(),
        describe_command(),
        click.Command("version", callback=version, help="Show Headway's version."),
        click.Command("help", callback=help_, help="Show this."),
        *left_commands(),
    ):
        group.add_command(command)
    name_variables(group)
    return group


def _begin(**_: Any) -> None:
    """The program was made of its options before its command was looked for."""
    context = click.get_current_context()
    this: Program = context.meta[PROGRAM]
    context.obj = this
    # For programs it is no news.
    if not this.options.quiet and context.invoked_subcommand != DESCRIBE:
        notice = unused_notice(this.configuration, unfitting(asdict(this.options)))
        environment = environment_notice(this.options.environment)
        for line in filter(None, (notice, environment, *misspelt_notices(this.configuration))):
            this.write(line, error=True, style="dim")
    if context.invoked_subcommand is None:
        check()


def check(warnings: bool = False) -> None:
    """Check the flow, its decorators and its settings; nothing is run and no cluster is asked."""
    # The settings' tables are not loaded by the commands that only look at the flow.
    from headway.launch.steps import plan_steps

    this = program()
    graph = this.graph()
    plan_steps(graph, this.configuration, this.overrides())
    for note in graph.notes:
        this.write(note, error=True)
    this.write(f"The flow {this.flow} is valid: {len(list(graph))} steps.", style="good")
    if (
        click.get_current_context().invoked_subcommand is None
        and click.get_current_context().info_name != "check"
    ):
        this.write("Type `run` to run it, `show` to see its steps, `--help` for all commands.", error=True)


def show() -> None:
    """Print the flow's steps."""
    this = program()
    print_graph(this.graph(), this.write)


def help_() -> None:
    """Print what there is to type."""
    context = click.get_current_context()
    program().write((context.parent or context).get_help())


def version() -> None:
    """Print the version."""
    program().write(VERSION)


def _width() -> int:
    return min(110, shutil.get_terminal_size().columns)
