"""``current``, where Metaflow defines it."""

from metaflow._aliases import aliases

__getattr__, __dir__ = aliases(
    __name__,
    {
        "Parallel": "headway.flow.current:Parallel",
        "current": "headway:current",
    },
)
