"""A pod that is to go: its step hears of it before, and has the time it asked for when it is told to end."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from harness.workspace import Workspace

ACTION = "/latest/meta-data/spot/instance-action"
#: What EC2's metadata service says, by path.
SAID = {
    "/latest/dynamic/instance-identity/document": {"instanceId": "i-0abc", "instanceType": "m7g.large"},
}


class MetadataService(BaseHTTPRequestHandler):
    """EC2's, second version: whoever has no token is told nothing."""

    def do_PUT(self) -> None:
        self._answer(200, "token")

    def do_GET(self) -> None:
        known = self.headers["X-aws-ec2-metadata-token"] == "token" and self.path in SAID
        self._answer(200 if known else 404, json.dumps(SAID.get(self.path)))

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002


@pytest.fixture
def metadata_port() -> Iterator[int]:
    """Where this machine answers as such a service."""
    with ThreadingHTTPServer(("0.0.0.0", 0), MetadataService) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.1,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def goes_in(seconds: float) -> str:
    """When the machine goes from now on, as is said."""
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
    SAID[ACTION] = {"action": "terminate", "time": when}
    return when


def test_a_step_is_warned_and_saves_what_it_has_within_its_grace(
    workspace: Workspace, metadata_port: int
) -> None:
    variables = {
        "HEADWAY_SPOT_WATCH": "aws",
        "HEADWAY_SPOT_METADATA_URL": f"http://{workspace.target.host}:{metadata_port}",
    }
    env = {
        "HEADWAY_KUBERNETES_ENV": json.dumps(variables),
        "HEADWAY_KUBERNETES_FETCH_EC2_METADATA": "true",
        "HEADWAY_KUBERNETES_TERMINATION_GRACE_PERIOD_SECONDS": "10",
    }
    # Far off: what a step can do until then it does.
    goes_at = goes_in(3600)
    launch = workspace.start("warned.py", "run", "--with", "kubernetes", env=env)
    pod = launch.until(r"\[work/2\] Running on Kubernetes pod: (\S+)").group(1)
    launch.until(r"\[work/2\] working")
    begun = time.monotonic()
    workspace.kubectl.run("delete", "pod", pod)
    took = time.monotonic() - begun
    helped = launch.until(r"\[helped/3\] Running on Kubernetes pod: (\S+)").group(1)
    launch.until(r"\[helped/3\] helper works")
    workspace.kubectl.run("delete", "pod", helped)
    launch.until(r"\[taken/4\] working")
    goes_soon = goes_in(14)
    result = launch.wait()
    assert result.returncode == 0, result.all
    # Four seconds for the checkpoint; the step did not end then, and was ended short of its grace: what came
    # of it still had to be kept.
    assert 6 < took < 90, took
    run = workspace.read("WarnedFlow", result, env=env)
    start, work = run.task("start"), run.task("work")
    assert start.data["notice"] == goes_at
    assert start.metadata["spot-termination-time"] == goes_at
    assert start.metadata["spot-termination-received-at"].startswith("20")
    assert (start.metadata["ec2-instance-id"], start.metadata["ec2-instance-type"]) == ("i-0abc", "m7g.large")
    assert [attempt.successful for attempt in work.attempts] == [False, True]
    assert work.attempts[0].kind == "infrastructure", "it costs none of the step's own tries"
    assert "saved True" in work.attempts[0].stdout
    assert work.data["resumed_from"] == "saved in 4 s"
    first = run.task("helped").attempts[0]
    assert "helper saved" in first.stdout, "what a step has started has the grace as well"
    assert first.kind == "infrastructure"
    taken, again = run.task("taken").attempts
    assert (taken.kind, taken.reason, again.successful) == ("infrastructure", "SpotTermination", True)
    assert f"The pod's machine goes at {goes_soon}: its step was told to end (SIGTERM)" in taken.message
    assert "saved" in taken.stderr
