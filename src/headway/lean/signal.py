"""Signals as plain numbers: the enumerations of them take longer to make than anything is done with them."""

__all__ = [
    "ITIMER_REAL",
    "SIGALRM",
    "SIGCHLD",
    "SIGHUP",
    "SIGINT",
    "SIGKILL",
    "SIGTERM",
    "SIG_BLOCK",
    "SIG_DFL",
    "SIG_IGN",
    "SIG_UNBLOCK",
    "default_int_handler",
    "getsignal",
    "pthread_sigmask",
    "set_wakeup_fd",
    "setitimer",
    "signal",
]

from _signal import (  # type: ignore[import-not-found]
    ITIMER_REAL,
    SIG_BLOCK,
    SIG_DFL,
    SIG_IGN,
    SIG_UNBLOCK,
    SIGALRM,
    SIGCHLD,
    SIGHUP,
    SIGINT,
    SIGKILL,
    SIGTERM,
    default_int_handler,
    getsignal,
    pthread_sigmask,
    set_wakeup_fd,
    setitimer,
)
from _signal import signal as _set
from typing import Any


def signal(number: int, handler: Any) -> Any:
    """Set a handler; one of the enumeration, which only the full module knows, is taken too."""
    return _set(number, int(handler) if isinstance(handler, int) else handler)
