"""The errors of reading runs back, beside :class:`~headway.errors.NotFoundError`."""

from headway.errors import HeadwayError, NotFoundError, TaskFailedError, UsageError

__all__ = ["FlowNotFoundError", "InvalidPathspecError", "NamespaceMismatchError", "TaskFailedError"]


class InvalidPathspecError(UsageError):
    """A path that does not have the parts its object needs."""

    headline = "Invalid pathspec"


class FlowNotFoundError(NotFoundError, KeyError):
    """There is no such flow among all flows: a key that is missing, and for Metaflow an object that is."""

    # A KeyError shows its words in quotes.
    __str__ = NotFoundError.__str__


class NamespaceMismatchError(HeadwayError):
    """The object exists, but not in the user namespace that is in use."""

    headline = "Object not in the current namespace"
