"""Many values, each in a process of its own."""

from metaflow._aliases import aliases

__getattr__, __dir__ = aliases(
    __name__,
    {
        "MulticoreException": "headway.flow.many:MulticoreError",
        "parallel_imap_unordered": "headway.flow.many:parallel_imap_unordered",
        "parallel_map": "headway.flow.many:parallel_map",
    },
)
