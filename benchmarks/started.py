"""Runs a command and says what it took, from a process as small as Python can be.

    python -I -S started.py FD COMMAND …

Linux counts as a process's own most memory what the one held that it was started from. So what starts a contender
must be small itself: the benchmark, which loaded much, is not. On the descriptor stand seconds, processor time, the
most bytes and the exit code; SIGINT is passed on.
"""

import os
import signal
import sys
import time


def main() -> None:
    fd, command = int(sys.argv[1]), sys.argv[2:]
    os.set_inheritable(fd, False)
    child = 0

    def pass_on(number: int, _: object) -> None:
        if child:
            os.kill(child, number)

    signal.signal(signal.SIGINT, pass_on)
    begun = time.monotonic()
    child = os.posix_spawnp(command[0], command, os.environ, setsigdef=[signal.SIGINT])
    _, status, usage = os.wait4(child, 0)
    seconds = time.monotonic() - begun
    code = os.waitstatus_to_exitcode(status)
    cpu, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024
    os.write(fd, f"{seconds} {cpu} {peak} {code}".encode())


main()
