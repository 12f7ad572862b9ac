"""Lines to stdout and stderr, coloured where a person looks at a terminal that wants colours."""

import os
import sys
from io import TextIOWrapper

from headway.plain import Mapping, TextIO

_STYLES = {"good": "32", "bad": "31", "dim": "2"}


def wants_colour(stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether colours belong on this stream: a terminal, and neither NO_COLOR nor TERM=dumb is set."""
    if environ.get("NO_COLOR") or environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


class StreamWriter:
    """Writes lines to the process's streams, flushed, so that a pipe sees them as they come.

    Attributes:
        lost: Whether standard output could not be written, for another reason than that its reader left.
    """

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self._out = out or sys.stdout or _nowhere("stdout", 1)
        self._err = err or sys.stderr or _nowhere("stderr", 2)
        self.lost = False
        for stream in (self._out, self._err):
            if isinstance(stream, TextIOWrapper):
                # A terminal that cannot show a character shows its number; no task fails for that.
                stream.reconfigure(errors="backslashreplace")
        self._colours = {False: wants_colour(self._out), True: wants_colour(self._err)}

    def __call__(self, line: str, *, error: bool = False, style: str = "") -> None:
        code = _STYLES.get(style) if self._colours[error] else None
        stream = self._err if error else self._out
        try:
            stream.write(f"\x1b[{code}m{line}\x1b[0m\n" if code else f"{line}\n")
            stream.flush()
        except OSError as failure:
            mute(stream)
            if not error and not isinstance(failure, BrokenPipeError):
                self.lost = True
                why = failure.strerror or "it takes nothing more"
                self(f"Standard output cannot be written, what follows is not shown: {why}.", error=True)


def _nowhere(name: str, number: int) -> TextIO:
    """A stream for a process that was started without this one (``>&-``, some schedulers); from now on it is there."""
    descriptor = os.open(os.devnull, os.O_WRONLY)
    try:
        os.fstat(number)
    except OSError:
        # Else the next file that is opened would take its place, and be written to by whatever prints.
        os.dup2(descriptor, number)
    # Also where it is the same: what is started from here has it, too.
    os.set_inheritable(descriptor, descriptor == number)
    stream: TextIO = open(descriptor, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - stays open for good
    setattr(sys, name, stream)
    return stream


def mute(stream: TextIO) -> None:
    """Nobody reads this stream any more (``| head``, a terminal that was closed): what goes on, goes on silently."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
