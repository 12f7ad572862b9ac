"""The watch against the fake server: nothing is missed, nothing ends it, and it says when it is blind."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from headway.executors.kubernetes.api.access import AuthSettings, ClusterAccess
from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.errors import Forbidden, Unreachable
from headway.executors.kubernetes.api.kinds import CONFIG_MAP, POD
from headway.executors.kubernetes.api.types import ConfigMap
from headway.executors.kubernetes.api.watch import (
    Added,
    Deleted,
    Modified,
    Recovered,
    Synced,
    Trouble,
    Watch,
    WatchEvent,
    WatchSettings,
    watch,
)
from headway.testing.fake_kubernetes import FakeKubernetes, Fault
from headway.testing.fake_kubernetes.answers import Refusal
from headway.testing.fake_kubernetes.watching import Watcher

NS = "default"


class Follower:
    """Reads a watch in a task of its own and keeps what came."""

    def __init__(self, events: Watch[ConfigMap]) -> None:
        self.events: list[WatchEvent[ConfigMap]] = []
        self.watch = events
        self._grown = asyncio.Event()
        self.task = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        async for event in self.watch:
            self.events.append(event)
            self._grown.set()

    async def until(self, found: Callable[["Follower"], bool]) -> None:
        while not found(self):
            self._grown.clear()
            waiting = asyncio.ensure_future(self._grown.wait())
            await asyncio.wait({waiting, self.task}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if self.task.done():
                self.task.result()
                raise AssertionError("the watch ended")

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.watch.aclose()

    async def count(self, number: int) -> list[str]:
        await self.until(lambda follower: len(follower.events) >= number)
        return self.told()

    def told(self) -> list[str]:
        return [said(event) for event in self.events]

    def objects(self) -> dict[str, str]:
        """What a consumer would believe to exist."""
        known: dict[str, str] = {}
        for event in self.events:
            if isinstance(event, Synced):
                synced = {obj.metadata.name: obj.metadata.resource_version for obj in event.objects}
                assert known.keys() <= synced.keys(), "what vanished was told of before"
                known = synced
            elif isinstance(event, Added | Modified):
                known[event.object.metadata.name] = event.object.metadata.resource_version
            elif isinstance(event, Deleted):
                del known[event.object.metadata.name]
        return known


def said(event: WatchEvent[ConfigMap]) -> str:
    if isinstance(event, Synced):
        return f"synced {','.join(obj.metadata.name for obj in event.objects)}".strip()
    if isinstance(event, Trouble | Recovered):
        return type(event).__name__.lower()
    return f"{type(event).__name__.lower()} {event.object.metadata.name}"


def put(fake: FakeKubernetes, name: str, **labels: str) -> None:
    fake.state.add("configmaps", NS, {"kind": "ConfigMap", "metadata": {"name": name, "labels": labels}})


def change(fake: FakeKubernetes, name: str, **data: Any) -> None:
    obj = fake.state.get("configmaps", NS, name)
    assert obj is not None
    fake.state.update("configmaps", {**obj, **data})


async def settled(fake: FakeKubernetes, *former: Watcher) -> Watcher:
    """Until a new connection stands: all that can happen without time passing has happened."""
    await asyncio.sleep(0.01)
    [current] = [watcher for watcher in fake.watchers if watcher not in former]
    return current


@pytest.fixture
async def follow(client: KubernetesClient) -> AsyncIterator[Callable[..., Follower]]:
    followers: list[Follower] = []

    def start(*args: Any, **settings: Any) -> Follower:
        events = watch(client, CONFIG_MAP, NS, *args, settings=WatchSettings(**settings))
        followers.append(Follower(events))
        return followers[-1]

    yield start
    for follower in followers:
        await follower.stop()


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_first_everything_then_the_changes(
    fake: FakeKubernetes, follow: Callable[..., Follower]
) -> None:
    put(fake, "a")
    follower = follow()
    await settled(fake)
    put(fake, "b")
    change(fake, "a", data={"k": "v"})
    fake.state.remove("configmaps", NS, "b")
    assert await follower.count(4) == ["synced a", "added b", "modified a", "deleted b"]
    last = follower.events[2]
    assert isinstance(last, Modified)
    assert last.object.data == {"k": "v"}


async def test_changes_between_list_and_watch_are_not_missed(
    fake: FakeKubernetes, follow: Callable[..., Follower]
) -> None:
    fake.fault(Fault("hang", verb="watch"))  # the first connection stalls until the silence is too long
    follower = follow(silence=20.0)
    await follower.count(1)
    put(fake, "a")
    assert await follower.count(2) == ["synced", "added a"]


async def test_selectors_decide_what_is_told(fake: FakeKubernetes, follow: Callable[..., Follower]) -> None:
    put(fake, "a", run="1")
    put(fake, "other", run="2")
    follower = follow("run=1")
    await settled(fake)
    put(fake, "b", run="1")
    put(fake, "c", run="2")
    change(fake, "b", metadata={**(fake.state.get("configmaps", NS, "b") or {})["metadata"], "labels": {}})
    put(fake, "d", run="1")
    assert await follower.count(4) == ["synced a", "added b", "deleted b", "added d"]


async def test_the_servers_time_limit_is_no_event(
    fake: FakeKubernetes, follow: Callable[..., Follower]
) -> None:
    follower = follow()
    await settled(fake)
    await asyncio.sleep(2000)
    put(fake, "a")
    assert await follower.count(2) == ["synced", "added a"]
    opened = fake.seen("watch")
    assert 5 <= len(opened) <= 7
    assert len(fake.seen("list")) == 1
    assert {request.query["timeoutSeconds"] for request in opened} == {"319"}  # 290 s and a tenth, by chance
    assert {request.query["allowWatchBookmarks"] for request in opened} == {"true"}


async def test_bookmarks_keep_the_place_without_being_told(
    fake: FakeKubernetes, follow: Callable[..., Follower]
) -> None:
    follower = follow()
    await settled(fake)
    fake.state.add("secrets", NS, {"metadata": {"name": "elsewhere"}})  # moves the version, not our objects
    for watcher in fake.watchers:
        watcher.bookmark()
    await asyncio.sleep(1)
    fake.compact()
    for watcher in fake.watchers:
        watcher.end()
    await asyncio.sleep(1)
    put(fake, "a")
    assert await follower.count(2) == ["synced", "added a"]
    assert len(fake.seen("list")) == 1


async def test_a_broken_connection_goes_on_from_the_last_version(
    fake: FakeKubernetes, follow: Callable[..., Follower]
) -> None:
    follower = follow()
    await settled(fake)
    put(fake, "a")
    await follower.count(2)
    for watcher in fake.watchers:
        watcher.cut()
    put(fake, "b")
    assert await follower.count(3) == ["synced", "added a", "added b"]
    assert len(fake.seen("list")) == 1
    assert now() < 5.0


async def test_a_frozen_connection_is_found_out(
    fake: FakeKubernetes, follow: Callable[..., Follower]
) -> None:
    follower = follow()
    await settled(fake)
    for watcher in fake.watchers:
        watcher.freeze()
    put(fake, "a")
    assert await follower.count(2) == ["synced", "added a"]
    assert 90 <= now() < 95
    assert len(fake.seen("list")) == 1


async def test_a_quiet_connection_with_bookmarks_is_not_taken_for_a_frozen_one(
    fake: FakeKubernetes, follow: Callable[..., Follower]
) -> None:
    follower = follow(connection=1000.0)
    await settled(fake)
    await asyncio.sleep(900)
    assert len(fake.seen("watch")) == 1
    assert now() - follower.watch.last_activity <= 60


@pytest.mark.parametrize("as_event", [False, True])
async def test_a_version_that_is_gone_leads_to_a_new_list_and_the_missed_deletions(
    fake: FakeKubernetes, follow: Callable[..., Follower], as_event: bool
) -> None:
    for name in "abc":
        put(fake, name)
    follower = follow()
    await settled(fake)
    watcher = fake.watchers[0]
    watcher.freeze()
    fake.state.remove("configmaps", NS, "a")
    fake.state.remove("configmaps", NS, "b")
    put(fake, "b")  # made again under its old name: the first one is gone all the same
    put(fake, "d")
    fake.compact()
    if as_event:
        watcher.error(Refusal(410, "Expired", "too old resource version"))
    else:
        watcher.cut()
    told = await follower.count(4)
    assert told == ["synced a,b,c", "deleted a", "deleted b", "synced b,c,d"]
    assert follower.objects().keys() == {"b", "c", "d"}
    fake.state.remove("configmaps", NS, "c")
    assert (await follower.count(5))[4] == "deleted c"


async def test_an_error_in_the_stream_leads_to_a_new_list(
    fake: FakeKubernetes, follow: Callable[..., Follower]
) -> None:
    put(fake, "a")
    follower = follow()
    former: list[Watcher] = []
    for data in (
        b"not json\n",
        b'{"type":"ADDED"}\n',
        b'{"type":"ERROR","object":{"kind":"Status","code":500}}\n',
    ):
        former.append(await settled(fake, *former))
        former[-1].raw(data)
        assert (await follower.count(len(former) + 1))[-1] == "synced a"


async def test_lines_are_read_whatever_way_they_are_cut(
    fake: FakeKubernetes, follow: Callable[..., Follower]
) -> None:
    follower = follow()
    await settled(fake)
    change_of = {
        "type": "ADDED",
        "object": {"metadata": {"name": "big", "uid": "u"}, "data": {"k": "é" * 400_000}},
    }
    line = json.dumps(change_of, ensure_ascii=False).encode() + b"\n"
    for start in range(0, len(line), 100_000):
        fake.watchers[0].raw(line[start : start + 100_000])
        await asyncio.sleep(0.01)
    assert await follower.count(2) == ["synced", "added big"]


async def test_trouble_is_told_once_and_its_end_too(
    fake: FakeKubernetes, follow: Callable[..., Follower]
) -> None:
    follower = follow()
    await settled(fake)
    put(fake, "a")
    await follower.count(2)
    fake.fault(Fault("reset", verb="watch", times=40))
    began = now()
    for watcher in fake.watchers:
        watcher.cut()
    put(fake, "b")
    assert await follower.count(5) == ["synced", "added a", "trouble", "recovered", "added b"]
    trouble, recovered = follower.events[2], follower.events[3]
    assert isinstance(trouble, Trouble)
    assert isinstance(recovered, Recovered)
    assert 15 <= trouble.seconds < 40
    assert recovered.seconds > 100
    assert f"has not answered for {trouble.seconds:.0f} s" in trouble.message
    assert fake.server in trouble.message
    assert recovered.seconds == pytest.approx(now() - began, abs=1.0)


async def test_short_trouble_is_not_worth_a_word_however_often(
    fake: FakeKubernetes, follow: Callable[..., Follower]
) -> None:
    follower = follow()
    for _ in range(3):
        await asyncio.sleep(100)
        fake.fault(Fault("reset", verb="watch", times=3))
        fake.watchers[-1].cut()
    put(fake, "a")
    assert await follower.count(2) == ["synced", "added a"]


async def test_trouble_while_listing_again_is_told_too(
    fake: FakeKubernetes, follow: Callable[..., Follower]
) -> None:
    follower = follow()
    await settled(fake)
    fake.compact()
    fake.fault(Fault(verb="watch", status=410, reason="Expired"))
    fake.fault(Fault(verb="list", status=503, times=1000))
    fake.watchers[0].cut()
    assert await follower.count(2) == ["synced", "trouble"]
    assert 15 <= now() < 30


async def test_each_break_is_a_new_one_where_something_was_heard_in_between(
    fake: FakeKubernetes, follow: Callable[..., Follower]
) -> None:
    follower = follow()
    await settled(fake)
    for number in range(10):
        fake.watchers[-1].cut()
        put(fake, f"cm-{number}")
        await follower.count(number + 2)
    assert now() < 10


async def test_lost_permission_is_trouble_and_not_the_end(
    fake: FakeKubernetes, follow: Callable[..., Follower]
) -> None:
    follower = follow()
    await settled(fake)
    fake.deny("*", "configmaps")
    for watcher in fake.watchers:
        watcher.end()
    put(fake, "a")
    await follower.count(2)
    trouble = follower.events[1]
    assert isinstance(trouble, Trouble)
    assert "refused" in trouble.message
    assert "may not list configmaps" in trouble.message
    fake.allow("*", "configmaps")
    assert await follower.count(4) == ["synced", "trouble", "recovered", "synced a"]


async def test_lost_credentials_are_trouble_and_not_the_end(fake: FakeKubernetes, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("t")
    access = fake.access(auth=AuthSettings(token_file=token))
    async with KubernetesClient(access, chance=lambda: 0.5) as client:
        follower = Follower(watch(client, CONFIG_MAP, NS))
        await settled(fake)
        token.unlink()
        fake.tokens = {"another"}
        fake.watchers[0].cut()
        put(fake, "a")
        assert await follower.count(2) == ["synced", "trouble"]
        trouble = follower.events[1]
        assert isinstance(trouble, Trouble)
        assert "cannot be read" in trouble.message
        token.write_text("another")
        assert (await follower.count(3))[2] == "recovered"
        await follower.until(lambda each: each.objects().keys() == {"a"})
        await follower.stop()


async def test_the_server_says_how_long_to_wait(
    fake: FakeKubernetes, follow: Callable[..., Follower]
) -> None:
    follower = follow()
    await settled(fake)
    fake.fault(Fault(verb="watch", status=429, reason="TooManyRequests", retry_after=50))
    for watcher in fake.watchers:
        watcher.cut()
    put(fake, "a")
    assert await follower.count(2) == ["synced", "added a"]
    assert 50 <= now() < 53
    assert len(fake.seen("list")) == 1


async def test_a_server_that_ends_every_connection_is_not_hammered(
    fake: FakeKubernetes, follow: Callable[..., Follower]
) -> None:
    follow()
    for _ in range(60):
        for watcher in fake.watchers:
            watcher.end()
        await asyncio.sleep(1)
    assert len(fake.seen("watch")) < 12


async def test_a_server_that_forgets_every_version_is_not_hammered(
    fake: FakeKubernetes, follow: Callable[..., Follower]
) -> None:
    fake.fault(Fault(verb="watch", times=1000, status=410, reason="Expired"))
    follow()
    await asyncio.sleep(60)
    assert 3 < len(fake.seen("list")) < 12


@pytest.mark.parametrize("verb", ["list", "watch"])
async def test_before_it_stands_a_missing_permission_is_an_error(
    fake: FakeKubernetes, client: KubernetesClient, verb: str
) -> None:
    fake.deny(verb, "pods")
    events = watch(client, POD, NS)
    if verb == "watch":
        assert isinstance(await anext(events), Synced)
    with pytest.raises(Forbidden, match=f"may not {verb} pods"):
        await anext(events)


async def test_before_it_stands_an_unreachable_server_is_an_error(unused_tcp_port: int) -> None:
    async with KubernetesClient(ClusterAccess(f"http://127.0.0.1:{unused_tcp_port}", NS, "test")) as client:
        with pytest.raises(Unreachable):
            await anext(watch(client, POD, NS))


async def test_cancelling_and_closing_leave_no_connection(
    fake: FakeKubernetes, client: KubernetesClient
) -> None:
    async with watch(client, CONFIG_MAP, NS) as events:
        await anext(events)
        waiting = asyncio.ensure_future(anext(events))
        await settled(fake)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    for name in "ab":  # the server notices at its next write that nobody listens
        await asyncio.sleep(0.01)
        put(fake, name)
    await asyncio.sleep(0.01)
    assert not fake.watchers
    async with watch(client, CONFIG_MAP, NS) as events:
        async for event in events:
            assert said(event) == "synced a,b"
            break
    with pytest.raises(StopAsyncIteration):
        await anext(events)
