"""Loggers: Python's own."""

from logging import getLogger

get_logger = getLogger

__all__ = ["get_logger"]
