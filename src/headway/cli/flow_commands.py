"""The command line of a flow, and its small commands; the others' words stand in modules of their own."""

import shutil
from collections.abc import Container, Mapping
from copy import copy
from pathlib import Path
from typing import Any

import click

from headway.cli.configs import config_options
from headway.cli.context import PROGRAM, program
from headway.cli.decorator_options import decorator_options
from headway.cli.describe import DESCRIBE, describe_command
from headway.cli.output_commands import output_commands
from headway.cli.parameters import PREFIX, parameter_options
from headway.cli.program import Program
from headway.cli.read_commands import dump_command, logs_group
from headway.cli.spin_command import spin_command
from headway.cli.tag_commands import tag_group
from headway.cli.variables import name_variables
from headway.config.unused import unused_notice
from headway.flow.flow_decorators import flow_decorators_of
from headway.flow.parameters import Parameter
from headway.version import VERSION

#: Decorators that steps get which lack them; the program's option and the run's.
_WITH = click.Option(
    ["--with", "late"],
    multiple=True,
    metavar="NAME[:K=V,…]",
    help="Give steps that lack it a decorator: --with kubernetes, --with kubernetes:cpu=4,memory=8000.",
)

_OVERRIDE = click.Option(
    ["--override", "overrides"],
    multiple=True,
    metavar="[STEP:]K=V,…",
    help="Settings of pods that win over all that is written: --override memory=8000, --override train:cpu=2.",
)


def top_options() -> list[click.Parameter]:
    """The program's own options."""
    return [
        click.Option(["--quiet/--not-quiet"], default=False, help="Only what tasks print, and errors."),
        click.Option(["--datastore"], metavar="KIND", help="Where data goes: local, s3, azure or gs."),
        click.Option(["--datastore-root"], metavar="URL", help="The root of that datastore."),
        click.Option(
            ["--package-suffixes"], metavar="LIST", help="Suffixes of files that ship, besides .py."
        ),
        click.Option(
            ["--package-max-size"], metavar="SIZE", help="Size above which the code package is refused."
        ),
        click.Option(
            ["--environment"],
            type=click.Choice(["local", "pypi", "conda", "uv"]),
            help="Taken for the sake of scripts: @pypi needs no option.",
        ),
        click.Option(
            ["--force-rebuild-environments", "packages_anew"],
            is_flag=True,
            help="Resolve the packages of @pypi again, which may find newer ones.",
        ),
        click.Option(["--config-name"], metavar="NAME", help="A named configuration: config_NAME.json."),
        _WITH,
        _OVERRIDE,
    ]


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
        ],
        callback=_begin,
        invoke_without_command=True,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": _width()},
    )
    for command in (
        _run_command(parameters),
        _resume_command(),
        _attach_command(),
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
        _package_group(),
        _config_group(),
        _kubernetes_group(),
        _doctor_command(),
        describe_command(),
        click.Command("version", callback=version, help="Show Headway's version."),
        click.Command("help", callback=help_, help="Show this."),
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
        notice = unused_notice(this.configuration)
        if notice:
            this.write(notice, error=True, style="dim")
    if context.invoked_subcommand is None:
        check()


def _run_command(parameters: Mapping[str, Parameter]) -> click.Command:
    options: list[click.Parameter] = [
        *parameter_options(parameters.values()),
        *_launch_options(),
        click.Option(["--namespace", "user_namespace"], metavar="NAME", help="The run's user namespace."),
        click.Option(
            ["--dry-run"],
            is_flag=True,
            help="Print the pods' manifests (YAML) and run nothing; asks no cluster.",
        ),
    ]
    taken = {f"--{parameter.name}" for parameter in parameters.values()}
    options = [_with_room(option, taken) for option in options]
    return click.Command("run", params=options, callback=run, help="Run the flow.")


def _with_room(option: click.Parameter, taken: set[str]) -> click.Parameter:
    """Where a parameter of the flow is called like an option that only Headway has, the parameter has the name."""
    if str(option.name).startswith(PREFIX) or not taken & set(option.opts):
        return option
    renamed = copy(option)
    renamed.opts = [f"--headway-{name.removeprefix('--')}" for name in option.opts]
    return renamed


def _launch_options() -> list[click.Parameter]:
    """What every command takes that drives a run."""
    return [
        _WITH,
        _OVERRIDE,
        click.Option(["--tag", "tags"], multiple=True, help="A tag for the run; may be repeated."),
        click.Option(
            ["--max-workers"],
            type=int,
            metavar="N",
            help="Tasks at a time, here and in the cluster each [default: 2 a processor; 200 pods].",
        ),
        click.Option(
            ["--max-num-splits"], type=int, default=100, show_default=True, help="Tasks of one foreach."
        ),
        click.Option(
            ["--max-log-size"], type=int, default=10, show_default=True, help="MB of log kept per task."
        ),
        click.Option(
            ["--forward-credentials"],
            is_flag=True,
            help="Lend pods this machine's own access to the datastore, in a Secret that goes with the run.",
        ),
        click.Option(["--run-id-file"], metavar="FILE", help="Write the run's id to this file."),
        click.Option(
            ["--runner-attribute-file"],
            metavar="FILE",
            help="Write the run's id, flow and place to this file, as JSON.",
        ),
    ]


def _resume_command() -> click.Command:
    def resume(**values: Any) -> None:
        # The launcher is not loaded by the commands that only look at the flow.
        from headway.cli import commands_resume

        commands_resume.resume(program(), **values)

    options: list[click.Parameter] = [
        click.Argument(["step"], required=False),
        click.Option(
            ["--origin-run-id"],
            metavar="RUN",
            help="The run to go on from [default: the newest that was started from this folder].",
        ),
        *_launch_options(),
        click.Option(["--run-id"], metavar="NAME", hidden=True, help="The new run's id; not only digits."),
        click.Option(["--clone-only"], is_flag=True, hidden=True, help="Take over results and run nothing."),
        click.Option(
            ["--reentrant"],
            is_flag=True,
            hidden=True,
            help="Go on with the run of that --run-id, if there is one.",
        ),
        click.Option(["--resume-identifier"], hidden=True, help="Kept with the run, for whoever started it."),
    ]
    return click.Command(
        "resume",
        params=options,
        callback=resume,
        help="Run again what an earlier run has not done, or all from STEP on; the rest is taken over.",
    )


def _attach_command() -> click.Command:
    def attach(**values: Any) -> None:
        # As for resume.
        from headway.cli import commands_attach

        commands_attach.attach(program(), **values)

    options: list[click.Parameter] = [
        click.Argument(["run"], required=False),
        click.Option(["--max-workers"], type=int, metavar="N", help="Tasks at a time [default: as it was]."),
        click.Option(["--forward-credentials"], is_flag=True, help="As for run."),
    ]
    return click.Command(
        "attach",
        params=options,
        callback=attach,
        help="Drive a run on whose launcher died, with the pods that it has [default: the newest from here].",
    )


def _package_group() -> click.Group:
    # What reads folders and packs them is not loaded by the commands that do neither.
    def list_files() -> None:
        from headway.cli import commands_package

        commands_package.list_files()

    def info() -> None:
        from headway.cli import commands_package

        commands_package.info()

    def save(file: str) -> None:
        from headway.cli import commands_package

        commands_package.save(Path(file))

    return click.Group(
        "package",
        help="Show or save the code that ships to pods.",
        commands=[
            click.Command("list", callback=list_files, help="List what ships, and what does not and why."),
            click.Command("info", callback=info, help="Say how much ships."),
            click.Command(
                "save",
                params=[click.Argument(["file"], type=click.Path(dir_okay=False))],
                callback=save,
                help="Write the package to a file (tar.gz).",
            ),
        ],
    )


def _doctor_command() -> click.Command:
    def doctor(**values: Any) -> None:
        # Looks at everything, so it loads everything.
        from headway.cli import commands_doctor

        commands_doctor.doctor_of_flow(program(), **values)

    return click.Command(
        "doctor",
        params=[
            _WITH,
            click.Option(
                ["--inside/--no-inside"],
                default=True,
                help="Whether to look from inside a pod, too [default: yes].",
            ),
            click.Option(["--forward-credentials"], is_flag=True, help="As for run."),
        ],
        callback=doctor,
        help="Say what a run of this flow needs, whether it is there, and what to do where it is not.",
    )


def _kubernetes_group() -> click.Group:
    # What talks to clusters is not loaded by the commands that do not.
    def list_(**values: Any) -> None:
        from headway.cli import commands_kubernetes

        commands_kubernetes.list_(**values)

    def kill(**values: Any) -> None:
        from headway.cli import commands_kubernetes

        commands_kubernetes.kill(**values)

    which = [
        click.Option(["--run-id"], metavar="ID", help="Of this run [default: the newest started from here]."),
        click.Option(["--my-runs"], is_flag=True, help="Of all your runs of this flow."),
        click.Option(["--user"], metavar="NAME", help="Of all runs of this flow that somebody started."),
    ]
    return click.Group(
        "kubernetes",
        help="Show or end the flow's pods.",
        commands=[
            click.Command("list", params=list(which), callback=list_, help="List pods with their state."),
            click.Command(
                "kill", params=list(which), callback=kill, help="End pods, and their runs with them."
            ),
        ],
    )


def _config_group() -> click.Group:
    def show(**values: Any) -> None:
        # The settings' table is not loaded by the commands that only look at the flow.
        from headway.cli import commands_config

        commands_config.show(**values)

    return click.Group(
        "config",
        help="Show the settings, and where each comes from.",
        commands=[
            click.Command(
                "show",
                params=[
                    click.Argument(["step"], required=False),
                    click.Option(["--all", "every"], is_flag=True, help="Also what nobody set."),
                    _WITH,
                    _OVERRIDE,
                ],
                callback=show,
                help="Show what each step's pods will be, and why: value, then its source.",
            ),
        ],
    )


def run(**values: Any) -> None:
    """Run the flow to its end."""
    # The launcher is not loaded by the commands that only look at the flow.
    from headway.cli.commands_run import run as run_flow_command

    run_flow_command(program(), **values)


def check(warnings: bool = False) -> None:
    """Check the flow, its decorators and its settings; nothing is run and no cluster is asked."""
    # The settings' tables are not loaded by the commands that only look at the flow.
    from headway.launch.steps import plan_steps

    this = program()
    plan_steps(this.graph(), this.configuration, this.overrides())
    this.write(f"The flow {this.flow} is valid: {len(list(this.written_graph))} steps.", style="good")
    if (
        click.get_current_context().invoked_subcommand is None
        and click.get_current_context().info_name != "check"
    ):
        this.write("Type `run` to run it, `show` to see its steps, `--help` for all commands.", error=True)


def show() -> None:
    """Print the flow's steps."""
    this = program()
    graph = this.graph()
    this.write(f"{graph.name}" + (f": {graph.doc}" if graph.doc else ""))
    for node in graph:
        this.write("")
        for spec in node.decorators:
            arguments = ", ".join(f"{name}={value!r}" for name, value in spec.shown.items())
            this.write(f"@{spec.name}({arguments})" if arguments else f"@{spec.name}", style="dim")
        marks = [
            mark
            for mark, holds in (("start", node.name == graph.start), ("end", node.name == graph.end))
            if holds
        ]
        this.write(f"Step {node.name}" + (f" ({', '.join(marks)})" if marks else ""))
        for line in (node.doc or "?").splitlines():
            this.write(f"    {line}")
        if node.targets:
            this.write(f"    => {', '.join(node.targets)}{_how(node)}")


def _how(node: Any) -> str:
    if node.foreach:
        return f" (for each of {node.foreach})"
    if node.condition:
        return f" (by {node.condition}: {', '.join(f'{value} -> {step}' for value, step in node.cases)})"
    return ""


def help_() -> None:
    """Print what there is to type."""
    context = click.get_current_context()
    program().write((context.parent or context).get_help())


def version() -> None:
    """Print the version."""
    program().write(VERSION)


def _width() -> int:
    return min(110, shutil.get_terminal_size().columns)
