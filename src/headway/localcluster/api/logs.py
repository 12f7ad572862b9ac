"""`pods/log`."""

from __future__ import annotations

from aiohttp import web

from headway.localcluster.api.paths import Target
from headway.localcluster.api.respond import flag, number
from headway.localcluster.node.logs import LogBook, LogOptions
from headway.localcluster.objects.failures import ApiError, bad_request
from headway.localcluster.objects.kinds import POD
from headway.localcluster.objects.meta import Object, name_of, parse_timestamp, uid_of
from headway.localcluster.objects.store import Store


class LogReader:
    """Answers requests for logs.

    Args:
        store: Where the pods are.
        logs: What their containers wrote.
    """

    def __init__(self, store: Store, logs: LogBook) -> None:
        self._store = store
        self._logs = logs

    async def read(self, request: web.BaseRequest, target: Target, now: float) -> web.StreamResponse:
        """Stream a container's log."""
        pod = self._store.get(POD, target.namespace, target.name)
        container = chosen_container(pod, request.query.get("container", ""))
        previous = flag(request, "previous")
        log = self._logs.find(uid_of(pod), container, previous=previous)
        if log is None:
            if previous:
                text = f'previous terminated container "{container}" in pod "{name_of(pod)}" not found'
                raise bad_request(text)
            _still_waiting(pod, container)
            return web.Response(text="")
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        async for piece in log.read(_options(request, now)):
            await response.write(piece)
        return response


def _options(request: web.BaseRequest, now: float) -> LogOptions:
    since = 0.0
    if text := request.query.get("sinceTime"):
        since = parse_timestamp(text)
    elif (seconds := number(request, "sinceSeconds")) is not None:
        since = now - seconds
    tail = number(request, "tailLines")
    if tail is not None and tail < 0:
        raise ApiError(
            422, "Invalid", 'PodLogOptions "" is invalid: tailLines: must be greater than or equal to 0'
        )
    return LogOptions(
        follow=flag(request, "follow"),
        timestamps=flag(request, "timestamps"),
        tail=tail,
        since=since,
        limit=number(request, "limitBytes"),
    )


def chosen_container(pod: Object, name: str) -> str:
    """The container a request means.

    Raises:
        ApiError: 400, it is not clear or not there.
    """
    spec = pod["spec"]
    mains = [entry["name"] for entry in spec["containers"]]
    inits = [entry["name"] for entry in spec.get("initContainers") or ()]
    if name:
        if name not in mains + inits:
            raise bad_request(f"container {name} is not valid for pod {name_of(pod)}")
        return name
    if len(mains) > 1:
        words = (
            f"a container name must be specified for pod {name_of(pod)}, choose one of: [{' '.join(mains)}]"
        )
        raise bad_request(words + (f" or one of the init containers: [{' '.join(inits)}]" if inits else ""))
    return str(mains[0])


def _still_waiting(pod: Object, container: str) -> None:
    status = pod["status"]
    for entry in [*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())]:
        if entry["name"] == container and "waiting" in entry["state"]:
            reason = entry["state"]["waiting"]["reason"]
            text = f'container "{container}" in pod "{name_of(pod)}" is waiting to start: {reason}'
            raise bad_request(text)
