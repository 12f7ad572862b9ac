"""How errors reach a person: what happened, where, what to do; and the exit code."""

import os
import sys
import traceback

from headway.errors import FlowDefinitionError, HeadwayError, RunInterruptedError, UsageError
from headway.ui.writer import StreamWriter, mute

SUCCESS, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


def report(error: BaseException, write: StreamWriter) -> int:
    """Tell a person of an error.

    Returns:
        The exit code.
    """
    if isinstance(error, KeyboardInterrupt):
        write("Interrupted.", error=True)
        return INTERRUPTED
    if isinstance(error, HeadwayError):
        write(f"{error.headline}{_place(error)}:", error=True, style="bad")
        for line in str(error).splitlines():
            write(f"    {line}", error=True)
        return INTERRUPTED if isinstance(error, RunInterruptedError) else error.exit_code
    if isinstance(error, OSError) and _is_of_output(error):
        # A full disk; a reader that left is nobody to tell.
        if not isinstance(error, BrokenPipeError):
            write(f"What was asked for cannot be written: {error.strerror}.", error=True, style="bad")
        return FAILED
    if isinstance(error, FileNotFoundError) and not _stands_somewhere():
        return report(UsageError("The folder that you are in is no longer there.", "Type: cd ~"), write)
    from headway.flow.shadows import hidden_module  # for what went wrong unforeseen only

    hidden = hidden_module(error)
    if hidden is not None:
        return report(UsageError(hidden, "Rename it."), write)
    write("Internal error, a defect of Headway. Please report it with what follows:", error=True, style="bad")
    sys.stderr.write("".join(traceback.format_exception(error)))
    return FAILED


def _is_of_output(error: OSError) -> bool:
    """Whether standard output took nothing more from the command line's library; from now on it takes all, unseen."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or trace.tb_frame.f_globals.get("__name__") != "click.utils" or sys.stdout is None:
        return False
    # Else the interpreter tries once more as it ends, and has words of its own.
    mute(sys.stdout)
    return True


def _stands_somewhere() -> bool:
    try:
        os.getcwd()  # noqa: PTH109 - nothing else is to be loaded on this way
    except FileNotFoundError:
        return False
    return True


def _place(error: HeadwayError) -> str:
    if not isinstance(error, FlowDefinitionError) or not error.file:
        return ""
    file = error.file
    here = os.path.relpath(file)
    shown = file if here.startswith("..") else here
    return f" ({shown}, line {error.line})" if error.line else f" ({shown})"
