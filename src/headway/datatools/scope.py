"""From what a call names to a URL: relative to the root of a client, or whole where it has none."""

from typing import Any, NamedTuple, Optional

from headway.datatools.errors import S3URLError
from headway.datatools.roots import data_root
from headway.flow.current import current

_SCHEME = "s3://"


class Place(NamedTuple):
    """An object, or where one could be."""

    bucket: str
    key: str

    @property
    def url(self) -> str:
        return f"{_SCHEME}{self.bucket}/{self.key}"


def root_of_run(run: Any, bucket: Optional[str], prefix: Optional[str]) -> str:
    """The URL under which a run's data stands: ``…/<flow>/<run id>``.

    Args:
        run: A flow within its running step (``self``), or a ``Run``.
        bucket: In place of the configured root's.
        prefix: The same.

    Raises:
        S3URLError: There is no configured root, or no running step, or it is neither.
    """
    # A step has loaded this already, and who passes a Run may not need it.
    from headway.flow.spec import FlowSpec

    if not isinstance(run, FlowSpec):
        try:
            flow, number = run.parent.id, run.id
        except AttributeError:
            raise S3URLError(
                f"S3(run={run!r}) is neither a flow nor a run.",
                "In a step write S3(run=self), elsewhere S3(run=headway.Run('Flow/run')).",
            ) from None
    elif current.is_running_flow:
        flow, number = current.flow_name, current.run_id
    else:
        raise S3URLError(
            "S3(run=flow) is for steps while they run.",
            "Elsewhere pass a Run: S3(run=headway.Run('Flow/run')).",
        )
    if not bucket or not prefix:
        root = data_root() if not bucket or prefix is None else (bucket, "")
        bucket, prefix = bucket or root[0], prefix or root[1]
    parts = (part.strip("/") for part in (bucket, prefix, flow, number))
    return _SCHEME + "/".join(part for part in parts if part)


def checked_root(url: object) -> str:
    """The URL of a root, without a slash at its end.

    Raises:
        S3URLError: It is none.
    """
    if not isinstance(url, str) or not url.startswith(_SCHEME) or not url[len(_SCHEME) :].strip("/"):
        raise S3URLError(f"s3root={url!r} is not possible: it must be like s3://bucket/prefix.")
    return url.rstrip("/")


def url_of(root: Optional[str], key: object) -> str:
    """The URL that a key means.

    Args:
        root: The client's, None where it has none.
        key: Relative to the root, None for the root itself; without a root a whole URL.

    Raises:
        S3URLError: It is whole and should not be, or the other way round.
    """
    if isinstance(key, bytes):
        key = key.decode()
    if key is not None and not isinstance(key, str):
        raise S3URLError(f"{key!r} is no key: it must be text.")
    if root is None:
        if key is not None and key.startswith(_SCHEME) and key[len(_SCHEME) :].partition("/")[1]:
            return key
        hint = "S3(run=self)" if current.is_running_flow else "S3(s3root='s3://bucket/prefix') or S3(run=…)"
        if key is not None and key.startswith(_SCHEME):
            raise S3URLError(f"{key} names no key in a bucket.", f"All of a bucket is {_SCHEME}bucket/.")
        raise S3URLError(
            f"{key!r} is not a whole URL, and this S3 has no root that it could be relative to.",
            f"Write s3://bucket/{key or 'key'}, or {hint}.",
        )
    if not key:
        return root
    if key.startswith(_SCHEME):
        raise S3URLError(
            f"{key} is a whole URL, and keys of this S3 are relative to {root}.", "Use S3() for whole URLs."
        )
    return f"{root}/{key.lstrip('/')}"


def place_of(url: str) -> Place:
    """The bucket and key in a URL."""
    bucket, _, key = url[len(_SCHEME) :].partition("/")
    return Place(bucket, key.lstrip("/"))
