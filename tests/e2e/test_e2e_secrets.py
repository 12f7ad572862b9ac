"""Secrets are where they belong, and nowhere else: not in objects, arguments, logs, records or on the screen."""

import contextlib
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from harness.kubectl import Kubectl
from harness.launch import Launch, Result
from harness.workspace import FLOWS, Workspace, Workspaces

#: What is planted in a Secret of the namespace, by key.
HELD = {"NAMED": "planted-by-name-4711", "OTHER": "planted-by-reference-4712"}
#: What stands in the flow's own code, where who writes it puts it: for tests.
INLINE = "planted-inline-4713"


class Kept:
    """A run with secrets, and all that is known of it while it goes on and afterwards."""

    def __init__(self, space: Workspace) -> None:
        self.space = space
        self.secrets = {**HELD, "lent": space.target.credentials["AWS_SECRET_ACCESS_KEY"]}
        source = (FLOWS / "keeper.py").read_text().replace("PLANTED_INLINE", INLINE)
        reference = [{"name": "REFERRED", "valueFrom": {"secretKeyRef": {"name": "planted", "key": "OTHER"}}}]
        self.env = {"HEADWAY_KUBERNETES_SECRETS": None, "HEADWAY_KUBERNETES_ENV": json.dumps(reference)}
        words = ("--with", "kubernetes:secrets=planted", "--forward-credentials")
        preview = space.start(source, "run", "--dry-run", *words, env=self.env)
        launch = space.start(source, "run", *words, env=self.env)
        launch.until("ready")
        self.arguments = "\n".join(arguments(pid) for pid in self._processes(launch))
        self.lent_to = space.kubectl.objects("secrets", "metaflow/flow_name=KeeperFlow")
        self.jobs = space.jobs()
        self.objects = objects(space.kubectl)
        self.result: Result = launch.wait()
        self.objects += objects(space.kubectl)
        self.preview: Result = preview.wait()
        self.screen = self.result.all + self.preview.all

    def _processes(self, launch: Launch) -> Iterator[int]:
        yield launch.pid
        for pod in self.space.pods("metaflow/step_name=start"):
            yield from self.space.target.processes(pod)


def arguments(pid: int) -> str:
    """What the machine's other users see of a process."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")


def objects(kubectl: Kubectl) -> str:
    """Every object that anybody but the readers of secrets may see, as YAML would show it."""
    return kubectl.run("get", "jobs,pods,configmaps,services,events", "--output=json")


def texts(data: bytes) -> Iterator[bytes]:
    """What bytes hold: themselves, and what is packed in them; a packed part may follow a header."""
    yield data
    starts = [0] if data.startswith(b"\x1f\x8b") else [at for at, byte in enumerate(data) if byte == 0x78]
    for start in starts:
        with contextlib.suppress(zlib.error):
            yield zlib.decompressobj(wbits=47).decompress(data[start:])


@pytest.fixture(scope="module")
def kept(workspaces: Workspaces) -> Kept:
    space = workspaces()
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "planted"}, "stringData": HELD}
    space.kubectl.create(secret)
    return Kept(space)


def test_the_step_has_them(kept: Kept) -> None:
    result = kept.result
    assert result.returncode == 1, result.all
    assert "a failure is told as well" in result.stderr
    lengths = kept.space.read("KeeperFlow", result, env=kept.env).task("start").data["lengths"]
    wanted = (kept.secrets["lent"], HELD["NAMED"], HELD["OTHER"], INLINE)
    assert lengths == [len(each) for each in wanted]
    assert len(kept.lent_to) == 1, "what is lent is in a Secret of the run"


def test_nobody_is_told_them(kept: Kept) -> None:
    assert kept.arguments.count("flow.py") >= 1
    for name, value in {**kept.secrets, "inline": INLINE}.items():
        assert value not in kept.screen, name
        assert value not in kept.arguments, name
        assert value not in kept.objects, name


def test_a_dry_run_shows_what_pods_get_and_only_the_names_of_what_is_lent(kept: Kept) -> None:
    shown = list(yaml.safe_load_all(kept.preview.stdout))
    (secret,) = [each for each in shown if each["kind"] == "Secret"]
    (lent,) = kept.lent_to
    assert set(secret["stringData"]) == set(lent["data"])
    assert set(secret["stringData"].values()) == {"not shown"}
    planned, made = (
        next(
            job["spec"]["template"]["spec"]["containers"][0]
            for job in jobs
            if job["kind"] == "Job" and job["metadata"]["labels"]["metaflow/step_name"] == "start"
        )
        for jobs in (shown, kept.jobs)
    )
    names = [[each["secretRef"]["name"] for each in container["envFrom"]] for container in (planned, made)]
    assert names == [["planted", each["metadata"]["name"]] for each in (secret, lent)]
    # Of a run's own there is the batch alone.
    env = [
        {each["name"]: each.get("value") for each in container["env"] if each["name"] != "HEADWAY_BATCH"}
        for container in (planned, made)
    ]
    assert env[0] == env[1]


def test_the_datastore_holds_none_but_what_is_written_in_code(kept: Kept) -> None:
    bucket = kept.space.bucket
    known = {**kept.secrets, "inline": INLINE}
    held = {key: list(texts(bucket.read(key))) for key in bucket.names()}
    assert any(key.endswith("record.json") for key in held)
    for path in kept.space.folder.rglob("*"):
        if path.is_file() and path.name != "flow.py":
            held[path.name] = [path.read_bytes()]
    found = {
        (name, key)
        for key, several in held.items()
        for name, value in known.items()
        if any(value.encode() in text for text in several)
    }
    assert {name for name, _ in found} == {"inline"}, found
    places = {"batch" if "/batch/" in key else "code" if "/code/" in key else key for _, key in found}
    assert places == {"batch", "code"}, "in the flow's code, and in what its step is to do"
