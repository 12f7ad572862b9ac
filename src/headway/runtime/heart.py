"""Says from time to time that an attempt's pod is alive, and hears of it when its machine is to be taken away.

The beat is one small object that is written over and over. The launcher listens where few pods run, else where the
cluster says that the pod's node does not answer: a node cut off from the control plane may still do its work.
"""

import json
import os
import signal
import threading
import time
from typing import Callable, Dict, Optional

from headway.errors import StoreError
from headway.runtime.usage import Meter
from headway.store import layout
from headway.store.base import ObjectStore
from headway.store.batch import Batch, TaskSpec
from headway.store.records import AttemptRef

#: Seconds between two beats; a step that is quicker never makes one.
INTERVAL = 15.0
#: Seconds between two questions whether the machine is to be taken away.
_ASK = 5.0

#: Where a step finds the path of the notice; the file is there once the machine is to go.
NOTICE = "HEADWAY_SPOT_NOTICE"


def _end_this_pod() -> None:
    """As the kubelet does it: whoever supervises here passes it on."""
    os.kill(os.getpid(), signal.SIGTERM)


class Heart:
    """Beats from a thread of its own until it is stopped; a datastore in trouble only delays it.

    Where the machine is to be taken away the step finds the notice at once, and is told to end (SIGTERM) as
    late as leaves it the grace that it was promised: what is done until then need not be done again.

    Args:
        store: The datastore.
        batch: The batch the attempt belongs to.
        task: Which of its tasks.
        notice: The path at which a notice is left.
        ask: Tells when the machine is to be taken away, "" as long as it is not; None where nobody would know.
        meter: Knows what the container held, None where nothing does.
        end: Tells the pod to end.

    Attributes:
        facts: Metadata of the attempt: when the notice came, and when the machine goes.
        taken: When the machine goes, once the pod was told to end for that; "" before.
    """

    def __init__(
        self,
        store: ObjectStore,
        batch: Batch,
        task: TaskSpec,
        notice: str,
        ask: Optional[Callable[[], str]] = None,
        meter: Optional[Meter] = None,
        end: Callable[[], None] = _end_this_pod,
    ) -> None:
        self._store = store
        ref = AttemptRef(batch.step, task.task, task.attempt)
        self._key = layout.heart(batch.flow, batch.run, *ref)
        self._notice = notice
        self._ask = ask
        self._meter = meter
        self._grace = batch.grace
        self._end = end
        self._end_at: Optional[float] = None
        self._stopped = threading.Event()
        self.facts: Dict[str, str] = {}
        self.taken = ""
        self._thread = threading.Thread(target=self._run, name="headway-heart", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """No more beats; returns at once."""
        self._stopped.set()

    def told_to_stop(self) -> None:
        """The pod got SIGTERM: whatever is to be taken away, the step may look for the notice."""
        self._end_at = None
        if not self.facts:
            self._leave_notice("")

    def _run(self) -> None:
        beaten = time.monotonic()
        while not self._stopped.wait(self._pause()):
            self.look()
            if time.monotonic() - beaten >= INTERVAL - 0.1:
                beaten = time.monotonic()
                self.beat()

    def _pause(self) -> float:
        # The main thread may take it back at any time.
        end_at = self._end_at
        if end_at is not None:
            return min(INTERVAL, max(0.0, end_at - time.monotonic()))
        return _ASK if self._ask is not None else INTERVAL

    def beat(self) -> None:
        """Say that the pod is alive, and what it has held."""
        held = self._meter.most if self._meter is not None else 0
        said = json.dumps({"at": time.time(), "peak": held}).encode()
        try:
            self._store.put(self._key, said)
        except StoreError:
            # The next beat may come through.
            return

    def look(self) -> None:
        """Ask whether the machine is to go, and leave the notice if so; tell the pod to end once it is time."""
        ask = self._ask
        when = ask() if ask is not None else ""
        if when:
            from headway.runtime import spot  # whoever asks has loaded it

            self._ask = None
            self._leave_notice(when)
            self._end_at = time.monotonic() + max(0.0, spot.seconds_until(when) - self._grace)
        end_at = self._end_at
        if end_at is not None and time.monotonic() >= end_at and not self._stopped.is_set():
            self._end_at = None
            self.taken = self.facts["spot-termination-time"]
            self._end()

    def _leave_notice(self, when: str) -> None:
        if when:
            self.facts["spot-termination-received-at"] = _utc(time.time())
            self.facts["spot-termination-time"] = when
        try:
            with open(self._notice, "w", encoding="ascii") as file:
                file.write(f"{when or _utc(time.time())}\n")
        except (OSError, ValueError):
            # The step still gets SIGTERM.
            return


def notice_path() -> str:
    """Where the notice is left, and told to the step: beside the work folder, which is writable in every pod."""
    return os.path.join(os.path.abspath(os.environ.get("HEADWAY_WORK", "/headway/work")), ".spot-notice")


def _utc(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def spot_watcher() -> Optional[Callable[[], str]]:
    """What tells when this machine is to be taken away, None where nobody would know."""
    if not (os.environ.get("HEADWAY_SPOT_WATCH") or os.path.exists("/sys/class/dmi/id/sys_vendor")):
        return None
    from headway.runtime import spot  # not loaded by pods whose machine says nothing of itself

    return spot.watcher()
