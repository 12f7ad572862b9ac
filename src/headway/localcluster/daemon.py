"""The cluster's process: forks the container supervisor first, then loads and runs everything else."""

from __future__ import annotations

import gc
import json
import os
import sys
from pathlib import Path

from headway.localcluster.containers.supervisor import spawn
from headway.localcluster.options import Options
from headway.localcluster.state import OCCUPIED, State


def main(arguments: list[str]) -> int:
    """Run a cluster until SIGTERM.

    Args:
        arguments: The state folder, the descriptor that is closed when the cluster is ready, and its
            options as JSON.
    """
    state, ready = State(Path(arguments[0])), int(arguments[1])
    os.setsid()
    os.chdir("/")
    lock = state.acquire()
    if lock is None:
        os.write(ready, OCCUPIED)
        return 1
    # What an earlier cluster said of itself holds no longer.
    state.write_record({})
    options = Options.load(json.loads(arguments[2]))
    control, isolation = spawn(isolated=options.isolated)
    # What is loaded stays: looking for garbage meanwhile is a tenth of the start. It begins when the API answers.
    gc.disable()
    # Only now: the supervisor, a fork of this process, stays as small as what is loaded above.
    from headway.localcluster.assembly import run

    run(state, options, options.port, control, isolation, ready)
    lock.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
