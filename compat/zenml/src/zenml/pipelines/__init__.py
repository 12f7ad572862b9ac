"""Pipelines."""

from headway import pipeline

__all__ = ["pipeline"]
