"""The config map that carries the in-pod runtime: put into each namespace of a run, and kept there while it goes on."""

import contextlib

from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.errors import AlreadyExists, ApiError
from headway.executors.kubernetes.api.kinds import CONFIG_MAP
from headway.executors.kubernetes.archive import RuntimeArchive
from headway.executors.kubernetes.manifest import runtime_config_map
from headway.executors.kubernetes.names import runtime_config_map_name

#: Seconds for which it is taken to be where it was seen last.
_SEEN = 10.0


class RuntimePlace:
    """Puts the runtime where pods mount it.

    One config map serves all runs of a version, for good; whoever sweeps takes away those that no Job mounts,
    and a run may have no Job for hours, or none yet.

    Args:
        client: The cluster.
        archive: The runtime.

    Attributes:
        name: The config map's.
    """

    def __init__(self, client: KubernetesClient, archive: RuntimeArchive) -> None:
        self._client = client
        self._archive = archive
        #: When it was known to be in a namespace (monotonic seconds).
        self._seen: dict[str, float] = {}
        self.name = runtime_config_map_name(archive.sha256)

    async def put(self, namespace: str) -> None:
        """Create it in this namespace, unless it is there.

        Raises:
            ApiError: It cannot be.
        """
        with contextlib.suppress(AlreadyExists):
            await self._create(namespace, self._archive.data)
        self._seen[namespace] = self._client.clock.monotonic()

    async def keep(self, namespace: str) -> None:
        """Create it anew where somebody has taken it away; a node looks for it until it is there."""
        now = self._client.clock.monotonic()
        if now - self._seen.get(namespace, -_SEEN) < _SEEN:
            return
        self._seen[namespace] = now
        # To read config maps is no right that a run needs: whether an empty one could be made tells it as well.
        with contextlib.suppress(ApiError):
            await self._create(namespace, b"", dry_run=True)
            await self._create(namespace, self._archive.data)

    async def _create(self, namespace: str, data: bytes, *, dry_run: bool = False) -> None:
        manifest = runtime_config_map(self.name, namespace, data)
        await self._client.create(CONFIG_MAP, namespace, manifest, dry_run=dry_run)
