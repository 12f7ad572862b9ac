"""Where the command line of a flow begins: ``MyFlow()`` comes here."""

import gc
import signal
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from headway.cli import errors
from headway.cli.context import PROGRAM
from headway.cli.describe import DESCRIBE
from headway.cli.flow_commands import build
from headway.cli.hoist import hoist
from headway.cli.program import Options, Program
from headway.cli.variables import variable_of
from headway.errors import HeadwayError
from headway.flow.flow_decorators import flow_decorators_of
from headway.flow.members import parameters_of
from headway.ui.writer import StreamWriter

#: Commands that run steps.
_RUNNING = frozenset({"run", "resume", "spin", "attach"})


def start_flow(flow_class: Any) -> NoReturn:
    """Run the command that the process was started with, and exit."""
    _hear_signals()
    code = run_command(flow_class, sys.argv[1:], sys.argv[0])
    # The process ends: a last search for garbage among all that was loaded would be in vain.
    gc.freeze()
    sys.exit(code)


def _hear_signals() -> None:
    """Until a run hears them itself, SIGTERM and SIGHUP are Ctrl-C: nothing is left behind, and the code is 130."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        # Under nohup the latter is ignored, and stays so.
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _stop)


def _stop(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


def run_command(flow_class: Any, arguments: Sequence[str], program: str) -> int:
    """Run one command of a flow's command line.

    Args:
        flow_class: The flow.
        arguments: What was typed after the program's name, options in any place.
        program: How the program was called, for words.

    Returns:
        The exit code: 0 success, 1 the run failed, 2 usage or configuration, 130 interrupted.
    """
    write = StreamWriter()
    try:
        group, context = _understood(flow_class, arguments, _name(program), write)
        with context:
            group.invoke(context)
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.Abort:
        return errors.INTERRUPTED
    except click.ClickException as error:
        error.show()
        if isinstance(error, click.BadParameter) and (variable := variable_of(error)):
            write(f"The value comes from the variable {variable}.", error=True)
        return errors.USAGE
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else 0 if exit_.code is None else 1
    except BaseException as error:
        return errors.report(error, write)
    # What a run has done is done, and told in the datastore; elsewhere what is lost is all that was asked for.
    lost = write.lost and context.invoked_subcommand not in _RUNNING
    return errors.FAILED if lost else errors.SUCCESS


def _understood(
    flow_class: Any, arguments: Sequence[str], name: str, write: StreamWriter
) -> tuple[click.Group, click.Context]:
    """The command line's parser, and what it makes of the program's own options.

    What parameters ``run`` has may depend on configurations, which are options of the program: these are
    understood first, and then all of it again, with the parameters that there are.
    """
    group = build(flow_class, parameters_of(flow_class), _possible_decorators(flow_class))
    ordered = _ordered(group, arguments)
    context = group.make_context(name, ordered)
    this = Program(flow_class, Options.of(context.params), write)
    context.meta[PROGRAM] = this
    if not {"run", DESCRIBE} & set(ordered) or not this.depends_on_configs:
        return group, context
    try:
        declared = this.declared
    except HeadwayError:
        # Whoever asks what there is to give need not have given it.
        if {"--help", "-h", DESCRIBE} & set(ordered):
            return group, context
        raise
    group = build(flow_class, declared.parameters, {spec.name for spec in declared.flow})
    context = group.make_context(name, _ordered(group, arguments))
    context.meta[PROGRAM] = this
    return group, context


def _possible_decorators(flow_class: Any) -> set[str]:
    """The flow's own decorators by name, and what its mutators may add that brings options along."""
    names = set(flow_decorators_of(flow_class))
    if "headway.flow.user_decorators" in sys.modules:
        from headway.flow.mutate import flow_mutators_of  # for flows that have decorators of their own

        if flow_mutators_of(flow_class):
            names.add("project")
    return names


def _ordered(group: click.Group, arguments: Sequence[str]) -> list[str]:
    commands = {name: _options(command) for name, command in group.commands.items()}
    return hoist(arguments, _options(group), commands)


def _options(command: click.Command) -> dict[str, int]:
    """Each option's spellings, and how many values it takes."""
    found: dict[str, int] = {}
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            for name in (*parameter.opts, *parameter.secondary_opts):
                found[name] = 0 if parameter.is_flag or parameter.count else parameter.nargs
    return found


def _name(program: str) -> str:
    return "python -c …" if program == "-c" else f"python {program}"
