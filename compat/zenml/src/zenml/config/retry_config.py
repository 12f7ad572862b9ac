"""How steps are tried again."""

from headway import StepRetryConfig

from zenml._missing import missing

__all__ = ["StepRetryConfig"]

__getattr__ = missing(__name__)
