"""The version, which is Headway's."""

from headway.version import VERSION

from metaflow._aliases import aliases

__getattr__, _ = aliases(__name__, {})


def get_version(public: bool = False) -> str:
    """Headway's version; ``public`` is taken for the sake of callers and changes nothing."""
    return VERSION
