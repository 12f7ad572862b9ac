"""What stands in for the events that deployments of Metaflow's hear: none is sent, and that is said."""

import sys
from typing import Any, Callable, Mapping, Optional, Union

_NOTHING_SENT = (
    "Headway sends no events: ArgoEvent publishes nothing. What is to run next can be started by the flow itself "
    "(Runner), or by a scheduler that you have."
)

_said = False


def namespaced_event_name(name: str) -> str:
    """The name itself: what ``@trigger`` stands for is not deployed, so nothing tells the namespaces' events apart."""
    return str(name)


class ArgoEvent:
    """An event that is never sent; one line on standard error says so, once in a process.

    Args:
        name: Its name, or a function that makes it.
        url: Taken, and not used; so are the others.
        payload: Pairs to be sent along.
        access_token: For the address.
    """

    def __init__(
        self,
        name: Union[str, Callable[[], str]],
        url: Optional[str] = None,
        payload: Optional[Mapping[str, Any]] = None,
        access_token: Optional[str] = None,
    ) -> None:
        self.name = name

    def add_to_payload(self, key: str, value: Any) -> "ArgoEvent":
        """Nothing but the line; returns the event, so that calls can be chained."""
        _say()
        return self

    def publish(
        self, payload: Optional[Mapping[str, Any]] = None, force: bool = True, ignore_errors: bool = True
    ) -> None:
        """Nothing but the line."""
        _say()

    def safe_publish(self, payload: Optional[Mapping[str, Any]] = None, ignore_errors: bool = True) -> None:
        """Nothing but the line."""
        _say()

    def __repr__(self) -> str:
        return f"<the event {self.name!r}, which Headway does not send>"


def _say() -> None:
    global _said
    if not _said:
        _said = True
        print(_NOTHING_SENT, file=sys.stderr)
