"""Writes lines from a thread of its own: a terminal that stands still (``| less``, Ctrl-S) holds up no launcher."""

import queue
import threading
from types import TracebackType

from headway.ui.plain import Writer

#: Lines kept for a reader who does not read; about 10 MB.
LIMIT = 100_000


class BackgroundWriter:
    """Takes lines without waiting and writes them in order. Use it as a context; its end waits for the reader.

    When too many lines wait, further ones on stdout are left out and counted: they stand in the datastore.
    Lines on stderr are few, and all kept.

    Args:
        write: Writes one line, as long as that takes.
        limit: Lines kept.
    """

    def __init__(self, write: Writer, limit: int = LIMIT) -> None:
        self._write = write
        self._limit = limit
        self._lines: queue.SimpleQueue[tuple[str, bool, str] | None] = queue.SimpleQueue()
        self._left_out = 0
        # A daemon: a reader that never reads again must not keep an interrupted process alive.
        self._thread = threading.Thread(target=self._run, name="headway-lines", daemon=True)

    def __enter__(self) -> "BackgroundWriter":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.put(None)
        self._thread.join()

    def __call__(self, line: str, *, error: bool = False, style: str = "") -> None:
        if not error and self._lines.qsize() >= self._limit:
            self._left_out += 1
        else:
            self._lines.put((line, error, style))

    def _run(self) -> None:
        while (item := self._lines.get()) is not None:
            line, error, style = item
            self._write(line, error=error, style=style)
            if self._left_out and self._lines.empty():
                self._tell()
        if self._left_out:
            self._tell()

    def _tell(self) -> None:
        left_out, self._left_out = self._left_out, 0
        self._write(
            f"{left_out} lines were left out here, as nobody read them; `logs` shows them all.", error=True
        )
