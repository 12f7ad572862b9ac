"""What the Kubernetes API can answer instead of an object, one type for each decision the launcher takes.

::

    ApiError                  the API refused or failed
    ├── NotFound                  404
    ├── Conflict                  409: somebody else changed the object
    │   └── AlreadyExists             409: an object of this name is there
    ├── Gone                      410: the version is too old, list again
    ├── Invalid                   422: the manifest is refused, field by field
    ├── QuotaExceeded             403: allowed, but the namespace's quota is used up; waiting may help
    ├── TooManyRequests           429: still so after every retry
    ├── ServerError               5xx: still so after every retry
    ├── Unauthorized              401; a ClusterConfigurationError too (exit 2)
    │   └── NoCredentials             nothing to send: an exec plugin failed, a token file is missing
    ├── Forbidden                 403; a ClusterConfigurationError too
    └── Unreachable               no answer at all; a ClusterConfigurationError too

Messages never hold what was sent: a manifest may carry secrets.
"""
# ruff: noqa: N818 - these are the API's own names for its reasons

from typing import NamedTuple

from headway.errors import ClusterConfigurationError, HeadwayError
from headway.executors.kubernetes.api.types import StatusDetails


class Target(NamedTuple):
    """What a request was about.

    Args:
        verb: The API's verb: create, get, list, watch, patch, delete, deletecollection.
        resource: The plural, with its subresource if any: "pods", "pods/log".
        group: The API group; empty for the core group.
        namespace: The namespace; None for the whole cluster.
        name: The object's name, where one was named.
    """

    verb: str
    resource: str
    group: str = ""
    namespace: str | None = None
    name: str | None = None

    def __str__(self) -> str:
        name = f" {self.name}" if self.name else ""
        where = f" in namespace {self.namespace}" if self.namespace else ""
        return f"{self.verb} {self.resource}{name}{where}"


class ApiError(HeadwayError):
    """The Kubernetes API refused a request or failed at it.

    Args:
        message: What happened, for a person.
        hint: What to do next.
        status: The HTTP status; 0 when there was no answer.
        reason: Kubernetes' reason ("NotFound", "Invalid", …).
        details: What the server said beyond its message.
        target: What the request was about.
        retry_after: Seconds the server asked to wait before the next try.
        sent: Whether the request may have reached the server and been carried out all the same.
    """

    headline = "Kubernetes"
    transient = False
    """Whether the same request may succeed later with nothing changed by a person."""

    def __init__(
        self,
        message: str = "",
        hint: str | None = None,
        *,
        status: int = 0,
        reason: str = "",
        details: StatusDetails | None = None,
        target: Target | None = None,
        retry_after: float | None = None,
        sent: bool = False,
    ) -> None:
        super().__init__(message, hint)
        self.status = status
        self.reason = reason
        self.details = details
        self.target = target
        self.retry_after = retry_after
        self.sent = sent

    @property
    def kind(self) -> str:
        """The resource's plural, as in "pods"; empty if unknown."""
        return self.target.resource if self.target else ""

    @property
    def name(self) -> str | None:
        """The object's name, if the request named one."""
        return self.target.name if self.target else None

    @property
    def namespace(self) -> str | None:
        """The namespace, if the request named one."""
        return self.target.namespace if self.target else None

    @property
    def verb(self) -> str:
        """The API's verb; empty if unknown."""
        return self.target.verb if self.target else ""


class NotFound(ApiError):
    """There is no such object, or its namespace is missing."""


class Conflict(ApiError):
    """The object is not in the state that the request named."""


class AlreadyExists(Conflict):
    """An object of this name is there, and it is not the one that was to be created."""


class Gone(ApiError):
    """The server no longer has the version asked for: list again."""


class Invalid(ApiError):
    """The server refuses the object; `details.causes` says which fields."""


class QuotaExceeded(ApiError):
    """The namespace's quota leaves no room now; other work ending may make some."""

    transient = True


class TooManyRequests(ApiError):
    """The server sheds load, and still did when the retries were used up."""

    transient = True


class ServerError(ApiError):
    """The server failed, and still did when the retries were used up."""

    transient = True


class Unauthorized(ApiError, ClusterConfigurationError):
    """The server does not accept the credentials, renewed where they can be."""


class NoCredentials(Unauthorized):
    """There are no credentials to send: a plugin that logs in failed, or a file is missing.

    `transient` is True once the cluster has answered before: what worked may work again.
    """


class Forbidden(ApiError, ClusterConfigurationError):
    """The credentials are good, the permission is missing.

    Attributes:
        user: Who the server takes us for; None if it did not say.
    """

    user: str | None = None


class Unreachable(ApiError, ClusterConfigurationError):
    """No answer: no address, nothing listening, no trust, no time.

    `transient` is False where trying again cannot help, as with a certificate that is not trusted.
    """

    transient = True
