"""``FlowSpec``, and the error of a ``self.next`` that cannot be followed."""

from metaflow._aliases import aliases

__getattr__, __dir__ = aliases(
    __name__,
    {
        "FlowSpec": "headway:FlowSpec",
        "InvalidNextException": "headway.flow.transition:InvalidTransitionError",
    },
)
