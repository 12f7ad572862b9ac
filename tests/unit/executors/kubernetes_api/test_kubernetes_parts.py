"""The small parts: lines, pauses, pace, versions, TLS settings, and what a watch knows."""

import asyncio
import ssl
import threading
from datetime import datetime, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import ClusterConfigurationError
from headway.executors.kubernetes.api.access import TlsSettings
from headway.executors.kubernetes.api.auth import CertificatePair
from headway.executors.kubernetes.api.errors import Unreachable
from headway.executors.kubernetes.api.kinds import JOB, KINDS, NODE, POD, page_of
from headway.executors.kubernetes.api.lines import LineReader
from headway.executors.kubernetes.api.retry import RetryPolicy, worth_retrying
from headway.executors.kubernetes.api.tls import tls_context
from headway.executors.kubernetes.api.types import (
    ConfigMap,
    Event,
    EventSeries,
    Job,
    ObjectMeta,
    Pod,
    ServerVersion,
)
from headway.executors.kubernetes.api.watch_lines import Change
from headway.executors.kubernetes.api.watch_view import Added, Deleted, Modified, Synced, View
from headway.testing.virtual_time import run_virtual

# Lines


class Chunks:
    def __init__(self, chunks: list[bytes]) -> None:
        self.chunks = chunks

    async def read(self) -> bytes:
        return self.chunks.pop(0) if self.chunks else b""


async def lines_of(chunks: list[bytes]) -> list[bytes]:
    reader = LineReader(Chunks([chunk for chunk in chunks if chunk]))
    lines: list[bytes] = []
    while some := await reader.read():
        lines += some
    assert await reader.read() == []
    return lines


@given(st.lists(st.binary(max_size=20).map(lambda data: data.replace(b"x", b"\n"))))
def test_lines_are_the_same_however_they_are_cut(chunks: list[bytes]) -> None:
    text = b"".join(chunks)
    expected = text.removesuffix(b"\n").split(b"\n") if text else []
    assert run_virtual(lines_of(list(chunks))) == expected


def test_a_long_line_in_small_pieces_takes_linear_time() -> None:
    piece = b"x" * 64
    assert run_virtual(lines_of([piece] * 40_000 + [b"\n", b"y"])) == [piece * 40_000, b"y"]


# Pauses


def test_pauses_grow_to_a_limit_and_are_spread() -> None:
    policy = RetryPolicy(base=0.2, longest=10)
    assert [policy.pause(attempt, 1.0) for attempt in (1, 2, 3, 10, 10_000)] == [0.2, 0.4, 0.8, 10, 10]
    assert policy.pause(3, 0.0) == 0.4
    assert policy.pause(1, 0.5, wanted=30) > 30


def test_what_may_be_done_twice_is_retried_more_readily() -> None:
    lost, refused, untrusted = Unreachable(sent=True), Unreachable(sent=False), Unreachable(sent=False)
    untrusted.transient = False
    assert [worth_retrying(error, repeatable=True) for error in (lost, refused, untrusted)] == [
        True,
        True,
        False,
    ]
    assert [worth_retrying(error, repeatable=False) for error in (lost, refused, untrusted)] == [
        False,
        True,
        False,
    ]


# Kinds, types, versions


def test_paths() -> None:
    assert POD.path("ns", "p", "log") == "/api/v1/namespaces/ns/pods/p/log"
    assert JOB.path(None) == "/apis/batch/v1/jobs"
    assert NODE.path("ignored", "n") == "/api/v1/nodes/n"
    assert POD.path("a/b", "x?y") == "/api/v1/namespaces/a%2Fb/pods/x%3Fy"
    assert (JOB.api_version, POD.api_version) == ("batch/v1", "v1")


def test_every_kind_decodes_with_nothing_but_a_name() -> None:
    for kind in KINDS:
        page = msgspec.json.decode(b'{"metadata":{},"items":[{"metadata":{"name":"x"}}]}', type=page_of(kind))
        assert page.items is not None
        assert page.items[0].metadata.name == "x"
    assert msgspec.json.decode(b'{"metadata":{},"items":null}', type=page_of(POD)).items is None


def test_a_pod_as_the_server_sends_it() -> None:
    text = b"""{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p","namespace":"n","uid":"u",
        "resourceVersion":"7","labels":{"a":"b"},"creationTimestamp":"2026-01-02T03:04:05Z",
        "deletionTimestamp":"2026-01-02T03:05:05Z","managedFields":[{"manager":"x"}],
        "ownerReferences":[{"apiVersion":"batch/v1","kind":"Job","name":"j","uid":"ju","controller":true}]},
      "spec":{"nodeName":"node1","containers":[{"name":"main","image":"python"}]},
      "status":{"phase":"Failed","podIP":"10.0.0.1","hostIP":"10.1.0.1","startTime":"2026-01-02T03:04:06Z",
        "conditions":[{"type":"DisruptionTarget","status":"True","reason":"EvictionByEvictionAPI",
          "lastProbeTime":null,"lastTransitionTime":"2026-01-02T03:04:07Z"}],
        "containerStatuses":[{"name":"main","ready":false,"restartCount":1,"image":"x","imageID":"y",
          "state":{"terminated":{"exitCode":137,"signal":9,"reason":"OOMKilled","startedAt":null,
            "finishedAt":"2026-01-02T03:04:08Z"}},"lastState":{}}]}}"""
    pod = msgspec.json.decode(text, type=Pod)
    assert pod.metadata.owner_references[0].uid == "ju"
    assert pod.metadata.creation_timestamp == datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    assert (pod.spec.node_name, pod.status.pod_ip, pod.status.host_ip) == ("node1", "10.0.0.1", "10.1.0.1")
    status = pod.status.container_statuses[0]
    assert status.state is not None
    assert status.state.terminated is not None
    assert (status.state.terminated.exit_code, status.state.terminated.reason) == (137, "OOMKilled")
    assert status.last_state is not None
    assert status.last_state.terminated is None
    assert pod.status.conditions[0].reason == "EvictionByEvictionAPI"


def test_a_job_as_the_server_sends_it() -> None:
    text = b"""{"metadata":{"name":"j"},"spec":{"parallelism":2,"completions":5,"suspend":true,"template":{}},
      "status":{"active":1,"failed":1,"completedIndexes":"1,3-5","failedIndexes":"2","uncountedTerminatedPods":{},
        "terminating":0,"ready":1,"conditions":[{"type":"Failed","status":"True","reason":"FailedIndexes"}]}}"""
    job = msgspec.json.decode(text, type=Job)
    assert (job.spec.parallelism, job.spec.completions, job.spec.suspend) == (2, 5, True)
    assert (job.status.completed_indexes, job.status.failed_indexes) == ("1,3-5", "2")


def test_an_event_was_last_seen_whichever_way_it_says_so() -> None:
    moment = datetime(2026, 1, 1, tzinfo=timezone.utc)
    later = datetime(2026, 1, 2, tzinfo=timezone.utc)
    assert Event(ObjectMeta(), last_timestamp=moment).last_seen == moment
    assert Event(ObjectMeta(), event_time=moment, series=EventSeries(2, later)).last_seen == later
    assert Event(ObjectMeta()).last_seen is None


def test_versions() -> None:
    assert ServerVersion("1", "29+").at_least(1, 29)
    assert ServerVersion("2", "0").at_least(1, 29)
    assert not ServerVersion("1", "28").at_least(1, 29)
    assert not ServerVersion().at_least(1, 29)


# TLS


def test_tls_trusts_what_go_trusts() -> None:
    context = tls_context(TlsSettings(), None, "test")
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT
    assert context.verify_flags & ssl.VERIFY_X509_PARTIAL_CHAIN
    careless = tls_context(TlsSettings(verify=False), None, "test")
    assert (careless.verify_mode, careless.check_hostname) == (ssl.CERT_NONE, False)


@pytest.mark.parametrize(
    ("settings", "pair"),
    [
        (TlsSettings(ca_data=b"hidden"), None),
        (TlsSettings(ca_data="é".encode()), None),
        (TlsSettings(), CertificatePair(b"hidden", b"hidden")),
    ],
)
def test_certificates_that_are_none(settings: TlsSettings, pair: CertificatePair | None) -> None:
    with pytest.raises(ClusterConfigurationError, match="context x") as caught:
        tls_context(settings, pair, "context x")
    assert "hidden" not in str(caught.value)


# What a watch knows

Named = st.sampled_from("abcd")


def config_map(name: str, version: int, generation: int = 0) -> ConfigMap:
    return ConfigMap(ObjectMeta(name, "ns", uid=f"{name}{generation}", resource_version=str(version)))


@given(
    st.lists(
        st.tuples(st.sampled_from(["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "LIST"]), Named, st.booleans())
    )
)
def test_who_follows_the_events_knows_what_there_is(steps: list[tuple[str, str, bool]]) -> None:
    """A consumer that keeps adding and deleting ends up with the truth, over lists that skip changes."""
    view: View[ConfigMap] = View()
    truth: dict[str, ConfigMap] = {}
    believed: dict[str, ConfigMap] = {}
    generation = 0
    for version, (type_, name, seen) in enumerate(steps, start=1):
        generation += type_ == "DELETED"
        known = truth.get(name)
        obj = config_map(name, version, generation)
        if known is not None:
            obj = ConfigMap(ObjectMeta(name, "ns", uid=known.metadata.uid, resource_version=str(version)))
        if type_ in ("ADDED", "MODIFIED"):
            truth[name] = obj
        elif type_ == "DELETED":
            truth.pop(name, None)
        if type_ == "LIST" or not seen:
            events: list[object] = list(view.replace(truth.values(), str(version)))
        else:
            event = view.apply(Change(type_, obj))
            events = [] if event is None else [event]
        assert view.version == str(version)
        for told in events:
            if isinstance(told, Synced):
                # Everything that is not in the list was told of as deleted before.
                assert {*believed} <= {each.metadata.uid for each in told.objects}
                believed = {each.metadata.uid: each for each in told.objects}
            elif isinstance(told, Deleted):
                missed = type_ == "LIST" or not seen
                assert told.object.metadata.uid in believed or not missed, "told of twice"
                believed.pop(told.object.metadata.uid, None)
            elif isinstance(told, Added | Modified):
                assert (told.object.metadata.uid in believed) == isinstance(told, Modified)
                believed[told.object.metadata.uid] = told.object
        assert sorted(believed) == sorted(each.metadata.uid for each in truth.values())


def test_virtual_time_passes_only_while_all_wait() -> None:
    async def main() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        for _ in range(1000):
            await asyncio.sleep(0)
        idle = loop.time()
        await asyncio.gather(asyncio.sleep(3600), asyncio.sleep(60))
        return idle, loop.time()

    assert run_virtual(main()) == (0.0, pytest.approx(3600, abs=1))


def test_a_thread_that_waits_for_what_comes_later_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("headway.testing.virtual_time._PATIENCE", 0.01)

    async def main() -> tuple[float, float]:
        loop, come = asyncio.get_running_loop(), threading.Event()
        waiting = loop.run_in_executor(None, come.wait)
        await asyncio.sleep(3600)
        begun = loop.time()
        # One that does work is waited for again, though the other still stands.
        await asyncio.to_thread(hash, "work")
        worked = loop.time()
        come.set()
        await waiting
        return begun, worked

    begun, worked = run_virtual(main())
    assert begun == worked == pytest.approx(3600)
