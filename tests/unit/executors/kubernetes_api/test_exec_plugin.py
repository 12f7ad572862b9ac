"""Exec plugins, run for real: small scripts that print credentials, or do everything else."""

import asyncio
import json
import os
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from headway.errors import ClusterConfigurationError
from headway.executors.kubernetes.api.access import AuthSettings, ClusterAccess, ExecPlugin
from headway.executors.kubernetes.api.auth import CertificatePair, authenticator
from headway.executors.kubernetes.api.exec_plugin import ExecCredentialSource

pytestmark = pytest.mark.asyncio(loop_factories=["real"])

V1 = "client.authentication.k8s.io/v1"
V1BETA1 = "client.authentication.k8s.io/v1beta1"


class TestClock:
    """A clock that a test sets; who sleeps, sleeps until `over` is set."""

    __test__ = False

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.over = asyncio.Event()

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        await self.over.wait()

    def stamp(self, seconds: float) -> str:
        return datetime.fromtimestamp(self.now + seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


Script = Callable[[str], ExecPlugin]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Make a plugin of a shell script; each run adds a line to `runs`."""

    def make(text: str, **options: Any) -> ExecPlugin:
        path = tmp_path / "plugin"
        path.write_text(f'#!/bin/sh\ncd "{tmp_path}"\necho run >> runs\n{text}\n')
        path.chmod(0o755)
        return ExecPlugin(str(path), **options)

    return make


def runs(tmp_path: Path) -> int:
    path = tmp_path / "runs"
    return len(path.read_text().splitlines()) if path.exists() else 0


def answer(version: str = V1, **status: str) -> str:
    return json.dumps({"apiVersion": version, "kind": "ExecCredential", "status": status})


def says(text: str) -> str:
    return f"cat <<'END'\n{text}\nEND"


def source(plugin: ExecPlugin, clock: TestClock, **options: Any) -> ExecCredentialSource:
    return ExecCredentialSource(plugin, "context prod in ~/.kube/config", clock, **options)


@pytest.mark.parametrize("version", [V1, V1BETA1])
async def test_a_token_without_an_end_is_asked_for_once(
    script: Script, clock: TestClock, tmp_path: Path, version: str
) -> None:
    credentials = source(script(says(answer(version, token="t")), api_version=version), clock)
    for _ in range(3):
        assert (await credentials.current()).token == "t"
        clock.now += 1e6
    assert runs(tmp_path) == 1


async def test_all_who_wait_share_one_run(script: Script, clock: TestClock, tmp_path: Path) -> None:
    credentials = source(script(says(answer(token="t"))), clock)
    first = asyncio.ensure_future(credentials.current())
    others = [asyncio.ensure_future(credentials.current()) for _ in range(10)]
    await asyncio.sleep(0)
    first.cancel()  # one who gives up does not take it from the others
    assert {credential.token for credential in await asyncio.gather(*others)} == {"t"}
    assert runs(tmp_path) == 1


async def test_a_failure_is_shared_too(script: Script, clock: TestClock, tmp_path: Path) -> None:
    credentials = source(script("exit 3"), clock)
    outcomes = await asyncio.gather(*(credentials.current() for _ in range(5)), return_exceptions=True)
    assert all(isinstance(outcome, ClusterConfigurationError) for outcome in outcomes)
    assert runs(tmp_path) == 1
    with pytest.raises(ClusterConfigurationError):
        await credentials.current()
    assert runs(tmp_path) == 2


async def test_it_is_renewed_before_its_end_while_it_still_serves(
    script: Script, clock: TestClock, tmp_path: Path
) -> None:
    plugin = script(says(answer(token="first", expirationTimestamp=clock.stamp(3600))))
    credentials = source(plugin, clock)
    assert (await credentials.current()).token == "first"
    clock.now += 3500
    assert (await credentials.current()).token == "first"
    assert runs(tmp_path) == 1
    script(says(answer(token="second", expirationTimestamp=clock.stamp(3600))))
    clock.now += 50  # within the last minute: renewed beside the requests
    assert (await credentials.current()).token == "first"
    await eventually(lambda: not plugin_runs())
    assert (await credentials.current()).token == "second"
    assert runs(tmp_path) == 2
    clock.now += 3600  # over: waited for
    script(says(answer(token="third", expirationTimestamp=clock.stamp(30))))
    assert (await credentials.current()).token == "third"
    clock.now += 10  # of a short life, half
    assert (await credentials.current()).token == "third"
    assert runs(tmp_path) == 3


async def test_a_renewal_that_fails_early_is_no_error(
    script: Script, clock: TestClock, tmp_path: Path
) -> None:
    credentials = source(script(says(answer(token="t", expirationTimestamp=clock.stamp(3600)))), clock)
    await credentials.current()
    script("exit 1")
    clock.now += 3550
    assert (await credentials.current()).token == "t"
    await eventually(lambda: not plugin_runs())
    for _ in range(5):  # and not tried again with every request
        assert (await credentials.current()).token == "t"
    assert not plugin_runs()
    assert runs(tmp_path) == 2
    clock.now += 44  # six seconds before its end: it serves a last time, and renewing fails again
    assert (await credentials.current()).token == "t"
    await eventually(lambda: not plugin_runs())
    clock.now += 2
    with pytest.raises(ClusterConfigurationError, match="exit code 1"):
        await credentials.current()
    assert runs(tmp_path) == 4


async def test_a_slow_renewal_is_not_started_twice(script: Script, clock: TestClock, tmp_path: Path) -> None:
    credentials = source(script(says(answer(token="t", expirationTimestamp=clock.stamp(3600)))), clock)
    await credentials.current()
    script("echo $$ > child; exec sleep 1000")
    clock.now += 3550
    await credentials.current()
    await pid_in(tmp_path / "child")
    clock.now += 20
    await credentials.current()
    assert sum(task.get_name() == "exec credential plugin" for task in asyncio.all_tasks()) == 1
    await credentials.aclose()


async def test_what_the_server_refused_is_not_used_again(
    script: Script, clock: TestClock, tmp_path: Path
) -> None:
    text = answer(token="t$n").replace('"', '\\"')
    plugin = script(f'n=$(wc -l < runs)\necho "{text}"')
    access = ClusterAccess("https://x", "default", "test", auth=AuthSettings(exec_plugin=plugin))
    auth = authenticator(access, clock)
    first = await auth.credentials()
    assert await auth.credentials() is first
    assert first.headers == (("Authorization", "Bearer t1"),)
    assert await auth.renew(first)
    second = await auth.credentials()
    assert second.headers == (("Authorization", "Bearer t2"),)
    assert await auth.renew(first)  # somebody else's late refusal of the old one
    assert await auth.credentials() is second
    await auth.aclose()


async def test_a_client_certificate(script: Script, clock: TestClock) -> None:
    plugin = script(says(answer(clientCertificateData="CERT", clientKeyData="KEY")))
    access = ClusterAccess("https://x", "default", "test", auth=AuthSettings(exec_plugin=plugin))
    credentials = await authenticator(access, clock).credentials()
    assert credentials.certificate == CertificatePair(b"CERT", b"KEY")
    assert credentials.headers == ()


async def test_what_the_plugin_is_told(script: Script, clock: TestClock, tmp_path: Path) -> None:
    plugin = script(
        'printf "%s" "$KUBERNETES_EXEC_INFO" > info; printf "%s|%s" "$EXTRA" "$*" > rest\n'
        "[ -t 0 ] || cat > stdin\n" + says(answer(token="t")),
        args=("get token", "--region=$HOME"),
        env=(("EXTRA", "e"),),
        cluster_info={"server": "https://x"},
    )
    await source(plugin, clock).current()
    assert json.loads((tmp_path / "info").read_text()) == {
        "apiVersion": V1,
        "kind": "ExecCredential",
        "spec": {"interactive": False, "cluster": {"server": "https://x"}},
    }
    assert (tmp_path / "rest").read_text() == "e|get token --region=$HOME"  # no shell in between
    assert (tmp_path / "stdin").read_text() == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("echo 'session expired, log in' >&2; exit 7", "exit code 7; it said:\nsession expired, log in"),
        ("echo '{\"hidden\": tok'", "no ExecCredential"),
        ("true", "no ExecCredential"),
        (says(answer(V1BETA1, token="hidden")), f"answered in {V1BETA1}, the kubeconfig says {V1}"),
        (says(answer()), "neither a token nor a client certificate"),
        (says(answer(clientCertificateData="x")), "without its key"),
        (says(answer(token="hidden", expirationTimestamp="tomorrow")), "no ExecCredential"),
    ],
)
async def test_plugins_that_fail(script: Script, clock: TestClock, text: str, words: str) -> None:
    with pytest.raises(ClusterConfigurationError) as caught:
        await source(script(text), clock).current()
    assert words in caught.value.message
    assert "context prod in ~/.kube/config" in caught.value.message
    assert "kubectl get pods" in (caught.value.hint or "")
    assert "hidden" not in str(caught.value)


async def test_a_missing_command_comes_with_its_install_hint(clock: TestClock) -> None:
    plugin = ExecPlugin("headway-no-such-command", install_hint="brew install it")
    with pytest.raises(ClusterConfigurationError, match="not installed") as caught:
        await source(plugin, clock).current()
    assert caught.value.hint == "brew install it"
    with pytest.raises(ClusterConfigurationError) as caught:
        await source(ExecPlugin("/no/such/aws"), clock).current()
    assert caught.value.hint == "Install aws, then try again."


async def test_a_plugin_that_needs_a_terminal_is_refused(
    script: Script, clock: TestClock, tmp_path: Path
) -> None:
    plugin = script(says(answer(token="t")), interactive_mode="Always")
    with pytest.raises(ClusterConfigurationError, match="interactiveMode: Always"):
        await source(plugin, clock).current()
    assert runs(tmp_path) == 0


async def test_a_plugin_that_hangs_is_ended_with_its_children(
    script: Script, clock: TestClock, tmp_path: Path
) -> None:
    plugin = script("echo 'open https://login in a browser' >&2\nsleep 1000 & echo $! > child; wait")
    waiting = asyncio.ensure_future(source(plugin, clock, timeout=60).current())
    child = await pid_in(tmp_path / "child")
    clock.over.set()
    with pytest.raises(ClusterConfigurationError, match="did not finish within 60 s") as caught:
        await waiting
    assert "open https://login in a browser" in caught.value.message
    await eventually(lambda: ended(child))


async def test_closing_ends_a_plugin_that_runs(script: Script, clock: TestClock, tmp_path: Path) -> None:
    credentials = source(script("echo $$ > child; exec sleep 1000"), clock)
    waiting = asyncio.ensure_future(credentials.current())
    child = await pid_in(tmp_path / "child")
    await credentials.aclose()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await eventually(lambda: ended(child))


def plugin_runs() -> bool:
    return any(task.get_name() == "exec credential plugin" for task in asyncio.all_tasks())


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait for another process, which no event of ours tells of."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("waited in vain")


async def pid_in(path: Path) -> int:
    await eventually(lambda: bool(content(path)))
    return int(content(path))


def content(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
