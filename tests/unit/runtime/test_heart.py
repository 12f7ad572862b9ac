"""A pod's signs of life, and the notice that its machine is to be taken away."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from headway.errors import StoreUnavailableError
from headway.runtime import ec2
from headway.runtime.heart import Heart
from headway.runtime.spot import watcher
from headway.store import layout
from headway.store.batch import Batch, Code, TaskSpec
from headway.testing.memory_store import MemoryStore

BATCH = Batch("F", "1", "train", "train-1", Code("path", "f.py", ("__main__", "F")), (TaskSpec("7", 2),))
FORM = "%Y-%m-%dT%H:%M:%SZ"
KEY = layout.heart("F", "1", "train", "7", 2)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def notice(tmp_path: Path) -> Path:
    return tmp_path / "notice"


def test_a_beat_says_when_and_how_much_was_held(store: MemoryStore, notice: Path) -> None:
    heart = Heart(store, BATCH, BATCH.tasks[0], str(notice))
    heart.beat()
    said = json.loads(store.get(KEY))
    assert said["at"] > 1_700_000_000
    assert said["peak"] >= 0


def test_a_datastore_in_trouble_stops_no_heart(store: MemoryStore, notice: Path) -> None:
    heart = Heart(store, BATCH, BATCH.tasks[0], str(notice))
    store.fail_next(StoreUnavailableError("no answer"), "put")
    heart.beat()
    heart.beat()
    assert store.size(KEY) is not None


def test_a_notice_is_left_once_and_kept_as_metadata(store: MemoryStore, notice: Path) -> None:
    answers = ["", "2026-11-22T08:41:25Z"]
    heart = Heart(store, BATCH, BATCH.tasks[0], str(notice), lambda: answers.pop(0), end=lambda: None)
    heart.look()
    assert not notice.exists()
    heart.look()
    heart.look()
    assert notice.read_text() == "2026-11-22T08:41:25Z\n"
    assert heart.facts["spot-termination-time"] == "2026-11-22T08:41:25Z"
    assert heart.facts["spot-termination-received-at"].startswith("20")


@pytest.mark.parametrize(
    ("left", "told"),
    [(0, True), (20, True), (40, False), ("Sun, 22 Nov 2026 08:41:25 GMT", True), ("soon", True)],
)
def test_a_step_is_told_to_end_as_late_as_leaves_it_its_grace(
    store: MemoryStore, notice: Path, left: float | str, told: bool
) -> None:
    when = left if isinstance(left, str) else time.strftime(FORM, time.gmtime(time.time() + left))
    ended: list[str] = []
    batch = BATCH._replace(grace=30.0)
    heart = Heart(
        store, batch, batch.tasks[0], str(notice), lambda: when, end=lambda: ended.append(heart.taken)
    )
    heart.look()
    heart.look()
    assert notice.read_text().strip() == when
    assert ended == ([when] if told else []), "once"
    heart.told_to_stop()
    assert notice.read_text().strip() == when, "what the cloud said stands"


def test_a_step_that_has_ended_is_told_nothing(store: MemoryStore, notice: Path) -> None:
    heart = Heart(store, BATCH, BATCH.tasks[0], str(notice), lambda: "now", end=lambda: pytest.fail("told"))
    heart.stop()
    heart.look()
    assert heart.taken == ""


def test_the_thread_tells_it_by_itself(
    store: MemoryStore, notice: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headway.runtime.heart._ASK", 0.01)
    told = threading.Event()
    heart = Heart(store, BATCH, BATCH.tasks[0], str(notice), lambda: "now", end=told.set)
    heart.start()
    assert told.wait(60)
    heart.stop()


def test_sigterm_leaves_a_notice_but_is_no_spot_termination(store: MemoryStore, notice: Path) -> None:
    heart = Heart(store, BATCH, BATCH.tasks[0], str(notice))
    heart.told_to_stop()
    assert notice.exists()
    assert heart.facts == {}


def test_a_folder_that_cannot_be_written_to_is_no_failure(store: MemoryStore, tmp_path: Path) -> None:
    Heart(store, BATCH, BATCH.tasks[0], str(tmp_path / "no" / "such" / "folder")).told_to_stop()


AWS, GCP, AZURE, AZURE_NAME = (
    "/latest/meta-data/spot/instance-action",
    "/computeMetadata/v1/instance/preempted",
    "/metadata/scheduledevents?api-version=2020-07-01",
    "/metadata/instance/compute/name?api-version=2021-02-01&format=text",
)


class Metadata(BaseHTTPRequestHandler):
    """The metadata services of three clouds."""

    said: ClassVar[dict[str, str]] = {}
    #: What EC2's gives away, and takes.
    token: ClassVar[str] = "token"

    def do_PUT(self) -> None:
        self._answer(self.token if self.path == "/latest/api/token" else None)

    def do_GET(self) -> None:
        ec2 = ("/latest/meta-data/spot/instance-action", "/latest/dynamic/instance-identity/document")
        if self.path in ec2 and self.headers["X-aws-ec2-metadata-token"] != self.token:
            self._answer(None, status=401)
            return
        known = {
            **dict.fromkeys(ec2, True),
            "/computeMetadata/v1/instance/preempted": self.headers["Metadata-Flavor"] == "Google",
            **dict.fromkeys((AZURE, AZURE_NAME), self.headers["Metadata"] == "true"),
        }
        self._answer(self.said.get(self.path) if known.get(self.path) else None)

    def _answer(self, text: str | None, status: int = 404) -> None:
        self.send_response(status if text is None else 200)
        self.end_headers()
        self.wfile.write((text or "").encode())

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002


@pytest.fixture
def metadata(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """What the service says, by path; to be filled by the test."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Metadata)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setenv("HEADWAY_SPOT_METADATA_URL", f"http://127.0.0.1:{server.server_port}")
    Metadata.said, Metadata.token = {}, "token"
    yield Metadata.said
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("vendor", "path", "before", "after", "when"),
    [
        (
            "Amazon EC2",
            AWS,
            None,
            '{"action": "terminate", "time": "2026-11-22T08:41:25Z"}',
            "2026-11-22T08:41:25Z",
        ),
        ("Google", GCP, "FALSE", "TRUE", "20"),
        (
            "Microsoft Corporation",
            AZURE,
            '{"Events": [{"EventType": "Freeze"}]}',
            (
                '{"Events": [{"EventType": "Preempt", "Resources": ["pool_0", "pool_3"], '
                '"NotBefore": "Sun, 22 Nov 2026 08:41:25 GMT"}]}'
            ),
            "Sun, 22 Nov 2026 08:41:25 GMT",
        ),
        ("Amazon EC2", AWS, "no JSON", '{"time": "soon"}', "soon"),
    ],
)
def test_each_clouds_own_way_to_tell(
    metadata: dict[str, str], vendor: str, path: str, before: str | None, after: str, when: str
) -> None:
    ask = watcher(vendor)
    assert ask is not None
    metadata[AZURE_NAME] = "pool_3"
    if before is not None:
        metadata[path] = before
    assert ask() == ""
    metadata[path] = after
    assert ask().startswith(when)


def azure_events(*machines: str) -> str:
    return json.dumps({"Events": [{"EventType": "Preempt", "Resources": machines, "NotBefore": ""}]})


def test_a_neighbour_in_the_scale_set_that_goes_is_none_of_ours(metadata: dict[str, str]) -> None:
    """Azure tells every machine of a scale set what is to become of each of them."""
    ask = watcher("Microsoft Corporation")
    assert ask is not None
    metadata[AZURE] = azure_events("aks-pool-vmss_1")
    assert ask() == "", "nobody said what this machine is called"
    metadata[AZURE_NAME] = "aks-pool-vmss_12"
    assert ask() == ""
    metadata[AZURE] = azure_events("aks-pool-vmss_1", "AKS-pool-vmss_12")
    assert ask() == "now"


def test_a_token_that_has_ended_is_renewed(metadata: dict[str, str]) -> None:
    """EC2's lasts for six hours, a pod for days."""
    ask = watcher("Amazon EC2")
    assert ask is not None
    assert ask() == ""
    Metadata.token = "another"
    metadata[AWS] = '{"time": "2026-11-22T08:41:25Z"}'
    assert ask() == "2026-11-22T08:41:25Z"


def test_an_instances_own_facts_are_asked_for_once(
    metadata: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ec2, "_known", None)
    said = {
        "instanceId": "i-1",
        "instanceType": "m7g.large",
        "region": "eu-west-1",
        "accountId": "1",
        "x": None,
    }
    metadata["/latest/dynamic/instance-identity/document"] = json.dumps(said)
    facts = {"ec2-instance-id": "i-1", "ec2-instance-type": "m7g.large", "ec2-region": "eu-west-1"}
    assert ec2.instance_facts() == facts
    metadata.clear()
    assert ec2.instance_facts() == facts


@pytest.mark.parametrize("said", [None, "no JSON", "[]"])
def test_without_such_a_service_there_are_no_facts(
    metadata: dict[str, str], monkeypatch: pytest.MonkeyPatch, said: str | None
) -> None:
    monkeypatch.setattr(ec2, "_known", None)
    if said is not None:
        metadata["/latest/dynamic/instance-identity/document"] = said
    assert ec2.instance_facts() == {}


def test_elsewhere_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert watcher("QEMU") is None
    monkeypatch.setenv("HEADWAY_SPOT_WATCH", "never")
    assert watcher("Amazon EC2") is None
    monkeypatch.setenv("HEADWAY_SPOT_WATCH", "gcp")
    assert watcher("QEMU") is not None


def test_a_service_that_does_not_answer_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWAY_SPOT_METADATA_URL", "http://127.0.0.1:1")
    ask = watcher("Amazon EC2")
    assert ask is not None
    assert ask() == ""
