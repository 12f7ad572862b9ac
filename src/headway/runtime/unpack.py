"""Brings the bundle of code into a pod and unpacks it."""

import hashlib
import io
import os
import tarfile

from headway.errors import StoreError
from headway.store import layout
from headway.store.base import ObjectStore
from headway.store.records import Batch


def unpack_bundle(store: ObjectStore, batch: Batch, work: str) -> str:
    """Fetch the batch's bundle, check its hash, and unpack it below the work folder.

    Returns:
        The folder that now holds the code.

    Raises:
        StoreError: The bundle is not what its name says.
    """
    data = store.get(layout.code(batch.flow, batch.code.bundle))
    if hashlib.sha256(data).hexdigest() != batch.code.bundle:
        raise StoreError(
            f"The code bundle {batch.code.bundle[:12]} in {store.url} is damaged: its content does not match its name.",
            "Run the flow again; the bundle is uploaded anew.",
        )
    root = os.path.join(work, "code")
    os.makedirs(root, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:*") as tar:
        for member in tar.getmembers():
            _extract(tar, member, root)
    return root


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, root: str) -> None:
    """One plain file or folder; whatever points outside the root is not ours and is refused."""
    target = os.path.normpath(os.path.join(root, member.name))
    if not (target == root or target.startswith(root + os.sep)) or not (member.isfile() or member.isdir()):
        raise StoreError(f"The code bundle holds an entry that it must not hold: {member.name}.")
    if member.isdir():
        os.makedirs(target, exist_ok=True)
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    source = tar.extractfile(member)
    if source is None:
        return
    with source, open(target, "wb") as file:
        while True:
            part = source.read(1 << 20)
            if not part:
                break
            file.write(part)
    os.chmod(target, 0o755 if member.mode & 0o100 else 0o644)
