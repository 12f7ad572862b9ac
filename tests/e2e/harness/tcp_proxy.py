"""A way to a server that can be cut and mended: what a load balancer or a network does to a launcher."""

import socket
import threading
from contextlib import suppress


class TcpProxy:
    """Passes bytes on between this machine and a server.

    Args:
        host: The server's.
        port: The server's.
        address: Of this machine; by default only itself can reach that.
    """

    def __init__(self, host: str, port: int, address: str = "127.0.0.1") -> None:
        self._target = (host, port)
        self._cut = threading.Event()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server((address, 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End every connection, and let no new one through."""
        self._cut.set()
        for each in list(self._open):
            _end(each)

    def mend(self) -> None:
        self._cut.clear()

    def close(self) -> None:
        self.cut()
        _end(self._listener)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self._cut.is_set():
                    _end(client)
                    continue
                with suppress(OSError):
                    server = socket.create_connection(self._target)
                    self._open.update((client, server))
                    for pair in ((client, server), (server, client)):
                        threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for each in (source, sink):
            _end(each)
            self._open.discard(each)


def _end(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
