"""``S3`` itself: what each method takes and gives, in terms of listings, downloads and uploads."""

import os
import re
from functools import partial
from typing import TYPE_CHECKING, Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Type, Union

from headway.datatools.buckets import Buckets, Known, missing
from headway.datatools.downloads import Fetched, Wanted, fetch
from headway.datatools.errors import S3URLError, no_folder
from headway.datatools.objects import Facts, S3Object, headers_for
from headway.datatools.roots import default_encryption, temporary_root
from headway.datatools.scope import Place, checked_root, place_of, root_of_run, url_of
from headway.datatools.shapes import keys_of, pairs_of
from headway.datatools.uploads import (
    Source,
    Upload,
    batches,
    check_file,
    check_value,
    file_source,
    source_of,
    upload,
)
from headway.datatools.values import S3GetObject, S3PutObject
from headway.store.parallel import run_parallel

if TYPE_CHECKING:
    from types import TracebackType

Key = Union[str, S3GetObject, None]
Pair = Union[Tuple[str, Any], S3PutObject]

_UNFIT_FOR_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


class S3:
    """A client for your own data in S3, or in what speaks its protocol; a context manager.

    ::

        with S3(run=self) as s3:
            url = s3.put("model", blob)
            parts = s3.get_many(["a", "b"])

    What a call names is relative to a root: that of a run (``run=``) or any other (``s3root=``). Without
    a root it is a whole URL, ``s3://bucket/key``. Downloads are files in a folder that is removed at the
    end; what is transferred passes through memory piece by piece, several pieces at a time.

    Server and credentials are found as for the datastore: ``AWS_ENDPOINT_URL_S3``, ``AWS_PROFILE``, the
    pod's identity and so on. Not for use from several threads at once.

    Args:
        tmproot: Where the folder for downloads is made; by default ``current.tempdir``, else the
            configured TEMPDIR, else the working folder.
        bucket: With ``run``: in place of the bucket of DATATOOLS_S3ROOT.
        prefix: With ``run``: in place of its path.
        run: The flow in a running step (``self``), or a ``Run``: the root is
            ``<DATATOOLS_S3ROOT>/<flow>/<run id>``, by default under ``data`` in the S3 datastore.
        s3root: The root's URL; means nothing with ``run``.
        encryption: The server-side encryption of what is put ("AES256", "aws:kms"); by default as
            configured by S3_SERVER_SIDE_ENCRYPTION, else as the bucket says.
        role: The ARN of a role to assume with the credentials that are found.
        session_vars: In place of what is found: ``aws_access_key_id``, ``aws_secret_access_key``,
            ``aws_session_token``, ``region_name``, ``profile_name``, as ``boto3.Session`` takes them.
        client_params: The same with ``endpoint_url`` and ``verify``, as ``boto3.client`` takes them.

    Raises:
        S3URLError: The root is none, or nothing says where data of runs goes.
        S3ClientError: What is said of the server or the credentials has no meaning here.
    """

    def __init__(
        self,
        tmproot: Optional[str] = None,
        bucket: Optional[str] = None,
        prefix: Optional[str] = None,
        run: Optional[Any] = None,
        s3root: Optional[str] = None,
        encryption: Optional[str] = None,
        *,
        role: Optional[str] = None,
        session_vars: Optional[Mapping[str, Any]] = None,
        client_params: Optional[Mapping[str, Any]] = None,
    ) -> None:
        self._root: Optional[str] = None
        if run is not None:
            self._root = root_of_run(run, bucket, prefix)
        elif s3root is not None:
            self._root = checked_root(s3root)
        self._tmproot = tmproot
        self._encryption = encryption or default_encryption()
        connect = None
        if role or session_vars or client_params:
            from headway.datatools.otherwise import connecting  # for clients only that are told more

            connect = connecting(os.environ, role, session_vars, client_params)
        self._buckets = Buckets(connect)
        self._folder: Optional[str] = None
        self._files = 0

    def __enter__(self) -> "S3":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: "Optional[TracebackType]",
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove every file that was downloaded."""
        folder, self._folder = self._folder, None
        if folder is not None:
            from shutil import rmtree  # only after a download, and costly to load

            rmtree(folder, ignore_errors=True)

    def list_paths(self, keys: Optional[Iterable[str]] = None) -> List[S3Object]:
        """The next level under each key: objects, and "folders", whose ``exists`` is False.

        Args:
            keys: Where to look; None for the root. ``key`` of what is found is relative to them.

        Raises:
            S3ClientError: One of them cannot be listed.
        """
        return self._list(keys, recursive=False)

    def list_recursive(self, keys: Optional[Iterable[str]] = None) -> List[S3Object]:
        """Every object under each key, however deep.

        Args:
            keys: Where to look; None for the root. ``key`` of what is found is relative to them.

        Raises:
            S3ClientError: One of them cannot be listed.
        """
        return self._list(keys, recursive=True)

    def info(self, key: Optional[str] = None, return_missing: bool = False) -> S3Object:
        """Size, type, metadata and age of an object, without its content.

        Args:
            key: Which; None for the root itself.
            return_missing: Give an ``S3Object`` that does not exist instead of an error.

        Raises:
            S3NotFoundError: There is none, and ``return_missing`` is False.
            S3ClientError: It cannot be told.
        """
        return self._infos([key], return_missing)[0]

    def info_many(self, keys: Iterable[str], return_missing: bool = False) -> List[S3Object]:
        """:meth:`info` of many objects, in the order of the keys."""
        return self._infos(keys_of(keys), return_missing)

    def get(self, key: Key = None, return_missing: bool = False, return_info: bool = True) -> S3Object:
        """Download an object.

        Args:
            key: Which, or an ``S3GetObject`` with the range of it; None for the root itself.
            return_missing: Give an ``S3Object`` that does not exist instead of an error.
            return_info: Tell type, metadata, range and age too, at no cost.

        Raises:
            S3NotFoundError: There is none, and ``return_missing`` is False.
            S3InvalidRangeError: The object has no such range.
            S3DiskSpaceError: There is no room for it.
            S3ClientError: It cannot be had.
        """
        return self._download([key], return_missing, return_info)[0]

    def get_many(
        self, keys: Iterable[Union[str, S3GetObject]], return_missing: bool = False, return_info: bool = True
    ) -> List[S3Object]:
        """:meth:`get` of many objects, several at a time, in the order of the keys."""
        return self._download(keys_of(keys), return_missing, return_info)

    def get_recursive(self, keys: Iterable[Optional[str]], return_info: bool = False) -> List[S3Object]:
        """Download every object whose key begins with one of these.

        Args:
            keys: Beginnings of keys: ``"a"`` finds ``ab/c`` too, ``"a/"`` does not; None for the root.
            return_info: Tell type, metadata and age too; ``key`` is then relative to the client's root,
                as for :meth:`get_many`, and not to what was asked for.

        Raises:
            S3ClientError: One of them cannot be listed, or one object cannot be had.
        """
        asked: List[str] = []
        places: List[Place] = []
        for key in keys_of(keys):
            url = self._url(key)
            place = place_of(url)
            # Not the bare root: run 1's is the beginning of run 10's.
            begin = place if key or not place.key else place._replace(key=f"{place.key}/")
            for entry in self._buckets.entries(begin, recursive=True):
                asked.append(url)
                places.append(place._replace(key=entry.key))
        fetched = fetch(
            self._buckets, [Wanted(place) for place in places], self._new_path, allow_missing=False
        )
        return [
            self._object(place.url, one, return_info, None if return_info else prefix)
            for prefix, place, one in zip(asked, places, fetched)
        ]

    def get_all(self, return_info: bool = False) -> List[S3Object]:
        """Download every object under the root.

        Raises:
            S3URLError: There is no root.
            S3ClientError: It cannot be listed, or one object cannot be had.
        """
        if self._root is None:
            raise S3URLError(
                "get_all() needs a root.", "Write S3(run=self) or S3(s3root='s3://bucket/prefix')."
            )
        return self.get_recursive([None], return_info)

    def put(
        self,
        key: Union[str, S3PutObject],
        obj: Any,
        overwrite: bool = True,
        content_type: Optional[str] = None,
        metadata: Optional[Dict[str, Any]] = None,
    ) -> str:
        """Store an object.

        Args:
            key: Where.
            obj: Text (stored as UTF-8), bytes, or a binary file, which is read from its beginning.
            overwrite: False leaves an object that is there as it is, which is no error.
            content_type: Its MIME type; by default the server chooses.
            metadata: What JSON can hold, kept with the object.

        Returns:
            The object's URL.

        Raises:
            S3InvalidObjectError: It is none of these.
            S3ClientError: It cannot be stored.
        """
        name = getattr(key, "key", key)
        check_value(obj, name)
        url = self._url(name)
        headers = headers_for(content_type, metadata, self._encryption)
        upload(self._buckets, [Upload(place_of(url), source_of(obj, name), headers)], overwrite=overwrite)
        return url

    def put_many(self, key_objs: Iterable[Pair], overwrite: bool = True) -> List[Tuple[str, str]]:
        """Store many objects, several at a time.

        Args:
            key_objs: Pairs of key and value as :meth:`put` takes them (a file is read from where it
                stands), or ``S3PutObject``. A generator is asked for some hundred at a time.
            overwrite: False leaves objects that are there as they are.

        Returns:
            Key and URL of each that was stored, in their order.

        Raises:
            S3InvalidObjectError: They are no pairs, or one is nothing that can be stored; of a list nothing is
                stored then.
            S3ClientError: One cannot be stored; others may have been.
        """
        key_objs = pairs_of(key_objs, "key_objs", "value")
        if isinstance(key_objs, list):
            for pair in key_objs:
                check_value(_value(pair), _key(pair))
        return self._upload(key_objs, overwrite, from_path=False)

    def put_files(self, key_paths: Iterable[Pair], overwrite: bool = True) -> List[Tuple[str, str]]:
        """Store local files, several at a time.

        Args:
            key_paths: Pairs of key and path, or ``S3PutObject`` with a path.
            overwrite: False leaves objects that are there as they are.

        Returns:
            Key and URL of each that was stored, in their order.

        Raises:
            S3InvalidObjectError: They are no pairs; of a list nothing is stored then.
            S3NotFoundError: A file is not there; likewise.
            S3ClientError: One cannot be stored; others may have been.
        """
        key_paths = pairs_of(key_paths, "key_paths", "path")
        if isinstance(key_paths, list):
            for pair in key_paths:
                check_file(_path(pair))
        return self._upload(key_paths, overwrite, from_path=True)

    def _url(self, key: object) -> str:
        return url_of(self._root, getattr(key, "key", key))

    def _list(self, keys: Optional[Iterable[str]], *, recursive: bool) -> List[S3Object]:
        asked: Sequence[Optional[str]] = [None] if keys is None else keys_of(keys)
        urls = [self._url(key) for key in asked]

        def entries(url: str) -> List[S3Object]:
            place = place_of(url)
            under = place._replace(key=f"{place.key.rstrip('/')}/" if place.key else "")
            prefix = url if recursive else f"{url.rstrip('/')}/"
            found = self._buckets.entries(under, recursive=recursive)
            return [S3Object(prefix, under._replace(key=key).url, size=size) for key, size in found]

        listed = run_parallel([partial(entries, url) for url in urls], self._buckets.threads)
        return [entry for under in listed for entry in under]

    def _infos(self, keys: Sequence[Optional[str]], return_missing: bool) -> List[S3Object]:
        urls = [self._url(key) for key in keys]
        calls = [partial(self._buckets.head, place_of(url)) for url in urls]
        return [
            self._described(url, known, return_missing)
            for url, known in zip(urls, run_parallel(calls, self._buckets.threads))
        ]

    def _described(self, url: str, known: Optional[Known], return_missing: bool) -> S3Object:
        if known is None:
            if not return_missing:
                raise missing(url)
            return S3Object(self._root, url)
        return S3Object(self._root, url, size=known.size, facts=known.facts)

    def _download(self, keys: Sequence[Key], return_missing: bool, return_info: bool) -> List[S3Object]:
        urls = [self._url(key) for key in keys]
        wanted = [
            Wanted(place_of(url), getattr(key, "offset", None), getattr(key, "length", None))
            for url, key in zip(urls, keys)
        ]
        fetched = fetch(self._buckets, wanted, self._new_path, allow_missing=return_missing)
        return [self._object(url, one, return_info) for url, one in zip(urls, fetched)]

    def _object(
        self, url: str, fetched: Optional[Fetched], with_facts: bool, prefix: Optional[str] = None
    ) -> S3Object:
        prefix = prefix or self._root
        if fetched is None:
            return S3Object(prefix, url)
        return S3Object(prefix, url, fetched.path, facts=fetched.facts if with_facts else Facts())

    def _upload(self, pairs: Iterable[Pair], overwrite: bool, *, from_path: bool) -> List[Tuple[str, str]]:
        stored: List[Tuple[str, str]] = []
        for batch in batches(pairs):
            urls = [self._url(_key(pair)) for pair in batch]
            uploads = [self._planned(pair, url, from_path) for pair, url in zip(batch, urls)]
            done = upload(self._buckets, uploads, overwrite=overwrite)
            stored += [(_key(pair), url) for pair, url, did in zip(batch, urls, done) if did]
        return stored

    def _planned(self, pair: Pair, url: str, from_path: bool) -> Upload:
        source = _file_of(pair) if from_path else _value_of(pair)
        if isinstance(pair, S3PutObject):
            headers = headers_for(pair.content_type, pair.metadata, pair.encryption or self._encryption)
        else:
            headers = headers_for(None, None, self._encryption)
        return Upload(place_of(url), source, headers)

    def _new_path(self, place: Place) -> str:
        """A path for a download; its name ends like the key, for what looks at the ends of names."""
        if self._folder is None:
            from tempfile import mkdtemp  # only for downloads, and costly to load

            with no_folder(self._tmproot or temporary_root()) as root:
                self._folder = os.path.abspath(mkdtemp(prefix="headway.s3.", dir=root))
        self._files += 1
        name = _UNFIT_FOR_NAMES.sub("_", place.key.rstrip("/").rpartition("/")[2])[-80:]
        return f"{self._folder}/{self._files}-{name}"


def _key(pair: Pair) -> str:
    return pair.key if isinstance(pair, S3PutObject) else pair[0]


def _value(pair: Pair) -> object:
    return pair.value if isinstance(pair, S3PutObject) else pair[1]


def _path(pair: Pair) -> object:
    return pair.path if isinstance(pair, S3PutObject) else pair[1]


def _value_of(pair: Pair) -> Source:
    return source_of(_value(pair), _key(pair), from_here=True)


def _file_of(pair: Pair) -> Source:
    return file_source(_path(pair))
