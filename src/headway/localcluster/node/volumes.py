"""A pod's volumes as folders of this machine."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

from headway.localcluster.api.identity import Tokens
from headway.localcluster.containers.spec import Mount
from headway.localcluster.node.environment import ConfigError, Lookup, field_value, resource_value
from headway.localcluster.objects import quantity
from headway.localcluster.objects.kinds import CLAIM, CONFIG_MAP, SECRET, VOLUME, Kind
from headway.localcluster.objects.meta import Object, name_of, namespace_of, uid_of

_IGNORED_LOCALLY = (
    "nfs",
    "csi",
    "awsElasticBlockStore",
    "gcePersistentDisk",
    "azureDisk",
    "azureFile",
    "iscsi",
)


class VolumeError(Exception):
    """A volume that cannot be set up yet."""


class Volumes:
    """Makes the folders of one pod's volumes.

    Args:
        pod: The pod.
        folder: Where the pod's volumes are.
        claims: Where the folders of persistent volume claims are.
        lookup: Finds config maps, secrets and claims of the pod's namespace, and volumes of the cluster.
        tokens: Issues the service account's token.
    """

    def __init__(self, pod: Object, folder: Path, claims: Path, lookup: Lookup, tokens: Tokens) -> None:
        self._pod = pod
        self._folder = folder
        self._claims = claims
        self._lookup = lookup
        self._tokens = tokens
        self._paths: dict[str, Path] = {}

    def set_up(self, addresses: Mapping[str, str]) -> None:
        """Make every volume.

        Raises:
            VolumeError: One of them cannot be made; worth trying again.
        """
        for volume in self._pod["spec"].get("volumes") or ():
            name = volume["name"]
            if name not in self._paths:
                try:
                    self._paths[name] = self._make(volume, addresses)
                except ConfigError as error:
                    raise VolumeError(f'MountVolume.SetUp failed for volume "{name}" : {error}') from error

    def mounts(self, container: Object) -> list[Mount]:
        """The mounts of one container, parents before children."""
        found = []
        for entry in container.get("volumeMounts") or ():
            source = self._paths[entry["name"]]
            if sub := entry.get("subPath"):
                source = source / sub
                if not source.exists():
                    source.mkdir(parents=True)
            size = self._memory_size(entry["name"])
            if size is not None and not sub:
                found.append(Mount("", entry["mountPath"], size=size))
            else:
                read_only = bool(entry.get("readOnly")) or self._read_only(entry["name"])
                found.append(Mount(str(source), entry["mountPath"], read_only))
        return sorted(found, key=lambda mount: mount.target.count("/"))

    def _volume(self, name: str) -> Object:
        found: Object = next(entry for entry in self._pod["spec"]["volumes"] if entry["name"] == name)
        return found

    def _read_only(self, name: str) -> bool:
        return any(key in self._volume(name) for key in ("secret", "configMap", "projected", "downwardAPI"))

    def _memory_size(self, name: str) -> int | None:
        """The size of an in-memory volume that only one container sees; None for what must be a folder."""
        source: Object = self._volume(name).get("emptyDir") or {}
        spec = self._pod["spec"]
        if source.get("medium") != "Memory" or len(spec["containers"]) > 1 or spec.get("initContainers"):
            return None
        return quantity.units(source["sizeLimit"]) if source.get("sizeLimit") else 0

    def _make(self, volume: Object, addresses: Mapping[str, str]) -> Path:
        folder: Path = self._folder / str(volume["name"])
        if "configMap" in volume:
            self._files(folder, CONFIG_MAP, volume["configMap"], volume["configMap"].get("name", ""))
        elif "secret" in volume:
            self._files(folder, SECRET, volume["secret"], volume["secret"]["secretName"])
        elif "projected" in volume:
            for source in volume["projected"].get("sources") or ():
                self._projected(folder, source, addresses)
        elif "downwardAPI" in volume:
            self._downward(folder, volume["downwardAPI"], addresses)
        elif "persistentVolumeClaim" in volume:
            return self._claim(volume["persistentVolumeClaim"]["claimName"])
        elif "hostPath" in volume:
            return self._host_path(volume["hostPath"])
        elif unknown := [key for key in _IGNORED_LOCALLY if key in volume]:
            raise ConfigError(f"volumes of type {unknown[0]} cannot be mounted by this cluster")
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _files(self, folder: Path, kind: Kind, source: Object, name: str) -> None:
        obj = self._lookup(kind, name)
        if obj is None:
            if source.get("optional"):
                return
            raise ConfigError(f'{kind.singular} "{name}" not found')
        content = _content(kind, obj)
        mode = source.get("defaultMode", 0o644)
        items = source.get("items")
        if items is None:
            for key, data in content.items():
                _write(folder / key, data, mode)
            return
        for item in items:
            if item["key"] not in content:
                if source.get("optional"):
                    continue
                raise ConfigError(
                    f"references non-existent {'config' if kind is CONFIG_MAP else 'secret'} key: {item['key']}"
                )
            _write(folder / item["path"], content[item["key"]], item.get("mode", mode))

    def _projected(self, folder: Path, source: Object, addresses: Mapping[str, str]) -> None:
        if "configMap" in source:
            self._files(folder, CONFIG_MAP, source["configMap"], source["configMap"].get("name", ""))
        elif "secret" in source:
            self._files(folder, SECRET, source["secret"], source["secret"].get("name", ""))
        elif "downwardAPI" in source:
            self._downward(folder, source["downwardAPI"], addresses)
        elif "serviceAccountToken" in source:
            account = self._pod["spec"].get("serviceAccountName", "default")
            token = self._tokens.for_account(namespace_of(self._pod), account)
            _write(folder / source["serviceAccountToken"]["path"], token.encode(), 0o600)

    def _downward(self, folder: Path, source: Object, addresses: Mapping[str, str]) -> None:
        for item in source.get("items") or ():
            if "fieldRef" in item:
                text = field_value(self._pod, item["fieldRef"]["fieldPath"], addresses)
            else:
                reference = item["resourceFieldRef"]
                containers = self._pod["spec"]["containers"]
                named = next(
                    (c for c in containers if c["name"] == reference.get("containerName")), containers[0]
                )
                text = resource_value(named, reference, {})
            _write(folder / item["path"], text.encode(), 0o644)

    def _claim(self, name: str) -> Path:
        claim = self._lookup(CLAIM, name)
        if claim is None:
            raise ConfigError(f'persistentvolumeclaim "{name}" not found')
        volume = self._lookup(VOLUME, claim["spec"].get("volumeName", ""))
        # The volume that a claim is made by itself is a folder of the cluster's.
        own = f"pvc-{uid_of(claim)}"
        if volume is not None and name_of(volume) != own and "hostPath" in volume["spec"]:
            return self._host_path(volume["spec"]["hostPath"])
        folder = self._claims / namespace_of(self._pod) / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @staticmethod
    def _host_path(source: Object) -> Path:
        path = Path(str(source["path"]))
        kind = source.get("type", "")
        if kind == "DirectoryOrCreate":
            path.mkdir(parents=True, exist_ok=True)
        elif kind == "Directory" and not path.is_dir():
            raise ConfigError(f"hostPath type check failed: {path} is not a directory")
        elif not path.exists():
            raise ConfigError(f"hostPath type check failed: {path} does not exist")
        return path


def _content(kind: Kind, obj: Object) -> dict[str, bytes]:
    if kind is SECRET:
        return {key: base64.b64decode(value) for key, value in (obj.get("data") or {}).items()}
    content = {key: value.encode() for key, value in (obj.get("data") or {}).items()}
    content.update({key: base64.b64decode(value) for key, value in (obj.get("binaryData") or {}).items()})
    return content


def _write(path: Path, data: bytes, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(mode)
