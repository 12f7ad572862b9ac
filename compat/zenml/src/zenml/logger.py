"""Loggers: Python's own, which show what they are told from INFO on, as ZenML's do."""

import os
import sys
from logging import Handler, Logger, LogRecord, getLogger

from zenml._missing import missing

__all__ = ["get_logger"]

__getattr__ = missing(__name__)


class _ToStderr(Handler):
    """Writes to stderr, unless the program has set up logging itself."""

    def emit(self, record: LogRecord) -> None:
        if getLogger().handlers:
            return
        try:
            sys.stderr.write(self.format(record) + "\n")
        except Exception:
            self.handleError(record)


def get_logger(name: str) -> Logger:
    """A logger that shows INFO and above, or what ``ZENML_LOGGING_VERBOSITY`` says.

    Args:
        name: As for :func:`logging.getLogger`.
    """
    logger = getLogger(name)
    if not any(isinstance(handler, _ToStderr) for handler in logger.handlers):
        level = os.environ.get("ZENML_LOGGING_VERBOSITY", "INFO").upper()
        logger.setLevel(
            level if level in ("CRITICAL", "DEBUG", "ERROR", "INFO", "WARN", "WARNING") else "INFO"
        )
        logger.addHandler(_ToStderr())
    return logger
