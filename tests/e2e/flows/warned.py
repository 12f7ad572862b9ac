import signal
import subprocess
import sys
import time
from pathlib import Path

from headway import S3, FlowSpec, current, step

#: A program that a step runs: told to end, it needs two seconds to save what it has.
HELPER = """
import signal, sys, time
def save(*_):
    time.sleep(2)
    print("helper saved", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
print("helper works", flush=True)
time.sleep(600)
"""


class WarnedFlow(FlowSpec):
    """A step that hears that its machine goes, one that saves what it has when it is told to end, one that is taken."""

    @step
    def start(self):
        notice = Path(current.spot_termination_notice)
        for _ in range(600):
            if notice.exists():
                break
            time.sleep(0.1)
        self.notice = notice.read_text().strip()
        self.next(self.work)

    @step
    def work(self):
        with S3(run=self) as s3:
            saved = s3.get("checkpoint", return_missing=True)
            if saved.exists:
                self.resumed_from = saved.text
            else:
                self.go_on_for_ever(s3)
        self.next(self.helped)

    @step
    def helped(self):
        if current.retry_count == 0:
            subprocess.run([sys.executable, "-c", HELPER], check=True)
        self.next(self.taken)

    @step
    def taken(self):
        if current.retry_count == 0:
            signal.signal(signal.SIGTERM, lambda *_: sys.exit("saved"))
            print("working", flush=True)
            time.sleep(600)
        self.next(self.end)

    def go_on_for_ever(self, s3):
        told = []
        signal.signal(signal.SIGTERM, lambda *_: told.append(time.time()))
        print("working", flush=True)
        while not told:
            time.sleep(0.1)
        # Longer than a pod is given where nobody asked for more than two seconds.
        time.sleep(4)
        s3.put("checkpoint", f"saved in {time.time() - told[0]:.0f} s")
        print("saved", Path(current.spot_termination_notice).exists(), flush=True)
        time.sleep(600)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    WarnedFlow()
