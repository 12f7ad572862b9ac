"""Packages that the image does not have: a small one for all steps, numpy for a gang, none for the last."""

import os
import socket
import time

from headway import FlowSpec, current, kubernetes, parallel, pypi, pypi_base, step


def connected(address):
    """A connection to rank 0, which may not listen yet."""
    for _ in range(600):
        try:
            return socket.create_connection(address, 60)
        except OSError:
            time.sleep(0.05)
    raise ConnectionError(f"nobody listens at {address}")


def all_reduce(array, where):
    """The sum of every rank's array, at every rank: all send to rank 0, which answers with the sum."""
    import numpy as np

    def received(stream):
        return np.frombuffer(stream.read(array.nbytes), array.dtype).reshape(array.shape)

    address = (where.main_ip, int(os.environ["MASTER_PORT"]))
    if where.node_index:
        with connected(address) as peer:
            peer.sendall(array.tobytes())
            return received(peer.makefile("rb"))
    with socket.create_server(address) as server:
        peers = [server.accept()[0] for _ in range(where.num_nodes - 1)]
    total = np.sum([array, *(received(peer.makefile("rb")) for peer in peers)], axis=0)
    for peer in peers:
        peer.sendall(total.tobytes())
        peer.close()
    return total


@pypi_base(packages={"iniconfig": "2.0.0"})
class PackagedFlow(FlowSpec):
    @step
    def start(self):
        import iniconfig

        print("start has iniconfig of", iniconfig.__file__)
        self.next(self.train)

    @pypi(packages={"numpy": ">=2"})
    @kubernetes(memory=150)
    @parallel(num_nodes=3)
    @step
    def train(self):
        import iniconfig
        import numpy as np

        where = current.parallel
        own = np.linspace(0, 1, 250_000).reshape(500, 500)
        summed = all_reduce(own * 2**where.node_index, where)
        assert np.allclose(summed, own * 7)
        print("rank", where.node_index, "has", summed.shape, "of", where.num_nodes, "ranks")
        self.total = int(np.arange(10).sum())
        print("train has numpy", np.__version__ >= "2", iniconfig.__name__, np.__file__)
        self.next(self.end)

    @pypi(disabled=True)
    @step
    def end(self):
        try:
            import numpy as np
        except ImportError:
            print("end has no numpy, total", self.total)
        else:
            print(f"end has numpy of {np.__file__}, total", self.total)


if __name__ == "__main__":
    PackagedFlow()
