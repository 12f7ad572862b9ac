"""What goes wrong with starting runs from Python; each is also the built-in error that callers expect."""

from headway.errors import HeadwayError, UsageError


class UnknownArgumentError(UsageError, ValueError):
    """A keyword argument that is no option of the command, or a value that cannot be one."""

    headline = "Unknown argument"


class ArgumentTypeError(UsageError, TypeError):
    """A keyword argument whose value is of another type than the option's."""

    headline = "Argument of another type"


class RunNotStartedError(HeadwayError, RuntimeError):
    """The process ended before there was a run."""

    headline = "The run did not start"
