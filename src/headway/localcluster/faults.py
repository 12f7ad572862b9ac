"""Faults a test or a curious user can switch on: in the API, on nodes, for images and pods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import Any

from headway.localcluster.objects.failures import ApiError, bad_request

PATH = "headway/faults"
"""Where the switches are: GET lists them, POST adds one, DELETE clears all."""


@dataclass
class Fault:
    """One switched-on fault.

    Attributes:
        kind: `Api`, `SlowPull` or `PullFailure`.
        method: HTTP methods the fault meets, as a pattern.
        resource: Plural resource names it meets, as a pattern.
        image: Image names it meets, as a pattern.
        status: What the API answers; 0 closes the connection without an answer.
        after: Let the request be carried out before the fault hits, so that only the answer is lost.
        retry_after: The `Retry-After` header, seconds.
        seconds: How long a slow pull takes.
        message: The words of a failed pull.
        count: How many times it still hits; negative for always.
    """

    kind: str
    method: str = "*"
    resource: str = "*"
    image: str = "*"
    status: int = 0
    after: bool = False
    retry_after: int | None = None
    seconds: float = 0.0
    message: str = ""
    count: int = -1

    def take(self) -> None:
        """Count one hit."""
        if self.count > 0:
            self.count -= 1


@dataclass
class Faults:
    """The faults that are switched on; actions such as killing a node are carried out at once.

    Attributes:
        actions: What to do for `KillNode`, `StartNode`, `PreemptPod`, `Compact`, `DropWatches` and
            `FreezeWatches`; each is called with the rest of the request.
    """

    actions: dict[str, Callable[[dict[str, Any]], None]] = field(default_factory=dict)
    _active: list[Fault] = field(default_factory=list)

    def switch_on(self, spec: dict[str, Any]) -> None:
        """Add a fault or carry out an action.

        Raises:
            ApiError: 400, there is no such fault.
        """
        given = dict(spec)
        kind = str(given.pop("kind", ""))
        if kind in self.actions:
            self.actions[kind](given)
            return
        if kind not in ("Api", "SlowPull", "PullFailure"):
            known = ", ".join(sorted([*self.actions, "Api", "PullFailure", "SlowPull"]))
            raise bad_request(f"no fault of kind {kind!r}; there are {known}")
        try:
            self._active.append(Fault(kind, **given))
        except TypeError as error:
            raise bad_request(f"fault {kind}: {error}") from error

    def clear(self) -> None:
        """Switch everything off."""
        self._active.clear()

    def listed(self) -> list[dict[str, Any]]:
        """The active faults as JSON values."""
        return [dict(vars(fault)) for fault in self._active if fault.count]

    def for_request(self, method: str, resource: str) -> Fault | None:
        """The fault that this API request meets; it is counted."""
        for fault in self._active:
            if (
                fault.kind == "Api"
                and fault.count
                and fnmatch(method, fault.method)
                and fnmatch(resource, fault.resource)
            ):
                fault.take()
                return fault
        return None

    def for_image(self, kind: str, image: str) -> Fault | None:
        """The `SlowPull` or `PullFailure` that this image meets; it is counted."""
        for fault in self._active:
            if fault.kind == kind and fault.count and fnmatch(image, fault.image):
                fault.take()
                return fault
        return None


def api_error(fault: Fault) -> ApiError:
    """The refusal that an API fault answers with."""
    if fault.status == 429:
        message = "the server has received too many requests and has asked us to try again later"
        return ApiError(429, "TooManyRequests", message, retry_after=fault.retry_after or 1)
    words = {
        401: ("Unauthorized", "Unauthorized"),
        403: ("Forbidden", "forbidden by a fault that is switched on"),
        503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
        504: ("Timeout", "the server was unable to return a response in the time allotted"),
    }
    reason, message = words.get(
        fault.status, ("InternalError", "an error on the server has been switched on")
    )
    return ApiError(fault.status, reason, message, retry_after=fault.retry_after)
