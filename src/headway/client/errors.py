"""The errors of reading runs back, beside :class:`~headway.errors.NotFoundError`."""

from typing import Any, Tuple

from headway.errors import HeadwayError, UsageError


class InvalidPathspecError(UsageError):
    """A path that does not have the parts its object needs."""

    headline = "Invalid pathspec"


class NamespaceMismatchError(HeadwayError):
    """The object exists, but not in the user namespace that is in use."""

    headline = "Object not in the current namespace"


class TaskFailedError(HeadwayError):
    """What a failed task left of its exception; it can be printed, compared by its parts, or raised.

    Attributes:
        message: What happened, in one or two sentences.
        type: The qualified name of the exception that the step raised, "" where none was.
        stacktrace: Its traceback as text, "" where there is none.
        reason: One word for machines: "Exception", "Timeout", "OutOfMemory", …
        kind: user, resources, infrastructure or configuration.
    """

    headline = "Task failed"

    def __init__(
        self,
        message: str,
        hint: str = "",
        type: str = "",  # noqa: A002 - the name that readers of a failed task look for
        stacktrace: str = "",
        reason: str = "",
        kind: str = "",
    ) -> None:
        super().__init__(message, hint or None)
        self.type = type
        self.stacktrace = stacktrace
        self.reason = reason
        self.kind = kind

    @property
    def exception(self) -> str:
        """What happened; the same as ``message``."""
        return self.message

    def __reduce__(self) -> Tuple[Any, ...]:
        parts = (self.message, self.hint or "", self.type, self.stacktrace, self.reason, self.kind)
        return (TaskFailedError, parts)

    def __str__(self) -> str:
        # The last line of a traceback says what the message says.
        told = self.stacktrace.rstrip() or self.message
        return told if self.hint is None else f"{told}\n{self.hint}"
