"""A process of its own for one local attempt, where the warm parent cannot be used.

The arguments of ``main()`` are ``BATCH_FD REPORT_FD INDEX STORE_URL``.
"""

import os
import sys
from typing import NoReturn

from headway.runtime import child
from headway.runtime.entry import load_flow
from headway.runtime.zygote import read_at
from headway.store.batch import Batch
from headway.store.open import open_store


def main() -> NoReturn:
    batch_fd, report_fd, index, url = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    batch = Batch.decode(read_at(batch_fd))
    os.close(batch_fd)
    os.environ.update(HEADWAY_IN_TASK="1", HEADWAY_TASK_DATASTORE=url)
    task = batch.tasks[index]
    child.set_environment(batch, task)
    child.open_streams()
    child.run(lambda: load_flow(batch.code, batch.code.root), batch, task, lambda: open_store(url), report_fd)
