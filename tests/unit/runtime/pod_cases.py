"""A pod as a process: what it finds, and what became of it."""

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime_cases import FLOW, RUN, make_batch, store_task

from headway.config.kubernetes import KubernetesSettings
from headway.executors.kubernetes.archive import runtime_archive
from headway.executors.kubernetes.command import container_command
from headway.executors.kubernetes.volumes import RUNTIME_PATH
from headway.runtime.state import PARAMETERS
from headway.store import layout
from headway.store.batch import Batch, Code
from headway.store.folder import FolderStore
from headway.store.inbox import encode_order
from headway.store.logs import parse_lines
from headway.store.records import AttemptRef, Record

HEAD = f"""
import os, signal, sys, time
from headway import FlowSpec, current, step


class {FLOW}(FlowSpec):
    @step
    def start(self):
"""
TAIL = f"""

{FLOW}()
"""


INBOX = layout.inbox(FLOW, RUN, "start-1")


@dataclass
class Life:
    """What became of a pod."""

    code: int
    stdout: str
    stderr: str
    words: dict[str, Any]
    store: FolderStore
    batch: Batch

    def record(self, index: int = 0) -> Record:
        return Record.decode(self.store.get(layout.record(FLOW, RUN, *self.ref(index))))

    def ref(self, index: int = 0) -> AttemptRef:
        task = self.batch.tasks[index]
        return AttemptRef(self.batch.step, task.task, task.attempt)

    def log(self, stream: str = "stdout") -> list[str]:
        data = self.store.get(layout.log(FLOW, RUN, *self.ref(), stream))
        return [line.text for line in parse_lines(data)]


class Pod:
    """What a pod finds: a datastore, an archive, a work folder, and its environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = FolderStore(str(folder / "store"))
        self.environ: dict[str, str] = {}
        self.archive = folder / "runtime.pyz"
        self.archive.write_bytes(runtime_archive().data)
        store_task(self.store, PARAMETERS, {"alpha": 0.5})

    def ship(self, files: Mapping[str, str], **code: Any) -> Code:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            for name, text in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(text.encode())
                tar.addfile(info, io.BytesIO(text.encode()))
        digest = hashlib.sha256(buffer.getvalue()).hexdigest()
        self.store.put(layout.code(FLOW, digest), buffer.getvalue())
        values = {"kind": "path", "main": "flow.py", "cls": ("__main__", FLOW), **code}
        return Code(bundle=digest, **values)

    def step(self, body: str, **changes: Any) -> Batch:
        """Ship a flow whose step has this body, and store the batch."""
        text = HEAD + textwrap.indent(textwrap.dedent(body), " " * 8) + TAIL
        return self.stored(make_batch(code=self.ship({"flow.py": text}), **changes))

    def stored(self, batch: Batch) -> Batch:
        self.store.put(layout.batch(FLOW, RUN, batch.name), batch.encode())
        return batch

    def order(self, number: int, *batches: Batch) -> None:
        """Put an order into the pod's inbox."""
        self.store.put(f"{INBOX}0/{number:08d}.json", encode_order(batches))

    def command(self, python: str = sys.executable) -> list[str]:
        """What a container starts, with the archive where it is here."""
        _, *rest = container_command(KubernetesSettings())
        return [python, *(part.replace(RUNTIME_PATH, str(self.archive)) for part in rest)]

    def begin_warm(self, **environ: str) -> "subprocess.Popen[str]":
        """Start it as a worker, with what is in its inbox."""
        return self.begin(make_batch(), HEADWAY_INBOX=INBOX, **environ)

    def begin(self, batch: Batch, command: Sequence[str] = (), **environ: str) -> "subprocess.Popen[str]":
        """Start it; by default as a pod's container does."""
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("HEADWAY", "PYTHON"))
        }
        told = {
            "HEADWAY_DATASTORE": self.store.url,
            "HEADWAY_BATCH": layout.batch(FLOW, RUN, batch.name),
            "HEADWAY_WORK": str(self.folder / "work"),
            "HEADWAY_TERMINATION_LOG": str(self.folder / "words"),
        }
        return subprocess.Popen(
            [*(command or self.command())],
            env={**clean, **told, **environ},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ended(self, process: "subprocess.Popen[str]", batch: Batch) -> Life:
        out, err = process.communicate(timeout=30)
        words = self.folder / "words"
        said = json.loads(words.read_text()) if words.exists() else {}
        return Life(process.returncode, out, err, said, self.store, batch)

    def live(self, batch: Batch, command: Sequence[str] = (), **environ: str) -> Life:
        return self.ended(self.begin(batch, command, **environ), batch)
