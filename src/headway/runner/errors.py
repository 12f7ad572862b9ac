"""What goes wrong with starting runs from Python; each is also the built-in error that callers expect."""

from typing import Any

from headway.errors import HeadwayError, UsageError


class UnknownArgumentError(UsageError, ValueError):
    """A keyword argument that is no option of the command, or a value that cannot be one."""

    headline = "Unknown argument"


class ArgumentTypeError(UsageError, TypeError):
    """A keyword argument whose value is of another type than the option's."""

    headline = "Argument of another type"


class _MissingError(UsageError, FileNotFoundError):
    def __str__(self) -> str:
        # The other base would make a text of its own of what it takes for a number and a reason.
        return UsageError.__str__(self)


class FlowFileMissingError(_MissingError):
    """There is no such flow file."""


class WorkingFolderMissingError(_MissingError):
    """There is no such folder to work in."""


class RunNotStartedError(HeadwayError, RuntimeError):
    """The process ended before there was a run."""

    headline = "The run did not start"


class SpinFailedError(HeadwayError, RuntimeError):
    """The task that was to be done again failed.

    Args:
        message: What failed, and what its process printed.
        executing: The task, with its output, while the runner keeps it.

    Attributes:
        executing: The same.
    """

    headline = "The task failed"

    def __init__(self, message: str = "", executing: Any = None) -> None:
        super().__init__(message)
        self.executing = executing
