"""Pipelines."""

from headway import pipeline

from zenml._missing import missing

__all__ = ["pipeline"]

__getattr__ = missing(__name__)
