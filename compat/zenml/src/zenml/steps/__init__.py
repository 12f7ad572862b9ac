"""Steps."""

from headway import step

__all__ = ["step"]
