"""The bad days of an API server: what goes wrong, for which requests, how often."""

from dataclasses import dataclass
from typing import Literal

from headway.testing.fake_kubernetes.state import Manifest

Action = Literal["answer", "reset", "reset_after", "hang", "garbage"]


@dataclass
class Fault:
    """Something that goes wrong.

    Args:
        action: "answer" sends the status; "reset" cuts the connection and does nothing; "reset_after" does
            what was asked and cuts the connection before the reply; "hang" does nothing for ever;
            "garbage" answers 200 with something that is no Kubernetes object.
        verb: Only requests of this verb ("create", "list", "watch", …); None for all.
        resource: Only for this plural; None for all.
        times: How many requests it hits before it is over.
        skip: How many it lets pass before the first.
        status: The HTTP status to answer.
        reason: Kubernetes' reason.
        message: The message.
        details: The Status object's details.
        retry_after: Seconds to put into the Retry-After header.
        location: Where to redirect to.
        plain: Answer without a Status object, as a load balancer does.
    """

    action: Action = "answer"
    verb: str | None = None
    resource: str | None = None
    times: int = 1
    skip: int = 0
    status: int = 500
    reason: str = "InternalError"
    message: str = "something went wrong"
    details: Manifest | None = None
    retry_after: int | None = None
    location: str | None = None
    plain: bool = False

    def hits(self, verb: str, resource: str) -> bool:
        """Tell whether this request is struck, and count it if so."""
        if self.times <= 0 or self.verb not in (None, verb) or self.resource not in (None, resource):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        return True
