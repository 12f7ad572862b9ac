"""A sum over the ranks of a gang, over sockets; at the first attempt one rank fails and the others wait for it."""

import os
import socket
import time

from headway import FlowSpec, current, parallel, retry, step


def connected(address):
    """A connection to the next rank, which may not listen yet."""
    for _ in range(200):
        try:
            return socket.create_connection(address, 60)
        except OSError:
            time.sleep(0.05)
    raise ConnectionError(f"nobody listens at {address}")


def all_reduce(values, where, port):
    """The sum of every rank's values, at every rank: all send to rank 0, which answers with the sum."""
    if where.node_index:
        with connected((where.main_ip, port)) as peer:
            peer.sendall((" ".join(map(str, values)) + "\n").encode())
            return [int(part) for part in peer.makefile("rb").readline().split()]
    with socket.create_server((where.main_ip, port)) as server:
        peers = [server.accept()[0] for _ in range(where.num_nodes - 1)]
    rows = [values, *([int(part) for part in peer.makefile("rb").readline().split()] for peer in peers)]
    total = [sum(column) for column in zip(*rows, strict=True)]
    for peer in peers:
        peer.sendall((" ".join(map(str, total)) + "\n").encode())
    return total


class AllReduceFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.train, num_parallel=3)

    @retry(times=1, minutes_between_retries=0)
    @parallel
    @step
    def train(self):
        where = current.parallel
        self.rank = where.node_index
        self.read = {
            name: os.environ[name] for name in ("RANK", "WORLD_SIZE", "MASTER_PORT", "MF_WORLD_SIZE")
        }
        print(f"rank {self.rank} of {where.num_nodes}, attempt {current.retry_count}")
        if current.retry_count == 0 and self.rank == 1:
            time.sleep(0.5)
            raise ValueError("rank 1 is no good")
        # At the first attempt rank 1 never comes, and the others would wait for ever.
        self.total = all_reduce([self.rank, 10**self.rank], where, int(os.environ["MASTER_PORT"]))
        self.next(self.join)

    @step
    def join(self, inputs):
        self.ranks = [each.rank for each in inputs]
        self.totals = [each.total for each in inputs]
        self.next(self.single)

    @parallel(num_nodes=2)
    @step
    def single(self):
        self.told = (current.task_id, current.parallel.control_task_id, current.parallel.node_index)
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    AllReduceFlow()
