"""The errors of reading runs back, beside :class:`~headway.errors.NotFoundError`."""

from headway.errors import HeadwayError, TaskFailedError, UsageError

__all__ = ["InvalidPathspecError", "NamespaceMismatchError", "TaskFailedError"]


class InvalidPathspecError(UsageError):
    """A path that does not have the parts its object needs."""

    headline = "Invalid pathspec"


class NamespaceMismatchError(HeadwayError):
    """The object exists, but not in the user namespace that is in use."""

    headline = "Object not in the current namespace"
