"""What is wrong with a flow's graph."""

from metaflow._aliases import aliases

__getattr__, __dir__ = aliases(
    __name__,
    {
        "LintWarn": "headway.errors:FlowDefinitionError",
    },
)
