"""An error that says all that there is to say needs no traceback where nobody catches it."""

import sys
from types import TracebackType
from typing import Optional, Type


def told_without_traceback() -> None:
    """Let this process end with the words and the exit code of such an error, unless it has a hook of its own."""
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _tell


def _tell(kind: Type[BaseException], error: BaseException, trace: Optional[TracebackType]) -> None:
    from headway.errors import HeadwayError  # for the end of such a process only

    if not isinstance(error, HeadwayError):
        sys.__excepthook__(kind, error, trace)
        return
    from headway.cli.errors import report  # as above
    from headway.ui.writer import StreamWriter

    # What a hook raises in its turn is heard as if the program had raised it.
    sys.exit(report(error, StreamWriter()))
