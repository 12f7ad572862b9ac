"""How steps are tried again."""

from headway import StepRetryConfig

__all__ = ["StepRetryConfig"]
