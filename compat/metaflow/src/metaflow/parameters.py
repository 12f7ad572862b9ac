"""Parameters of flows."""

from metaflow._aliases import aliases

__getattr__, __dir__ = aliases(
    __name__,
    {
        "JSONType": "headway:JSONType",
        "JSONTypeClass": "headway.flow.values:JSONTypeClass",
        "Parameter": "headway:Parameter",
    },
)
