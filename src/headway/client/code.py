"""``MetaflowCode``: the code that a run was made of, as it was shipped to pods."""

from typing import TYPE_CHECKING, Any, Dict, Optional

from headway.client.run_data import RunData
from headway.errors import HeadwayError, KeyNotFoundError, NotFoundError
from headway.store import layout
from headway.store.batch import Code

if TYPE_CHECKING:
    from tarfile import TarFile
    from tempfile import TemporaryDirectory


class MetaflowCode:
    """The code package of a run: ``run.code``.

    Args:
        run: The run.
        code: How its code is started.
    """

    def __init__(self, run: RunData, code: Code) -> None:
        self._run = run
        self._code = code
        self._data: Optional[bytes] = None

    @property
    def path(self) -> str:
        """Where the package is: a URL, or a path in a folder."""
        return f"{self._run.root}/{layout.code(self._run.flow, self._code.bundle)}"

    @property
    def info(self) -> Dict[str, Any]:
        """What is known of it: ``script``, ``kind`` (how it is started), ``sha``, ``user``, versions."""
        about = self._run.record.metadata
        known: Dict[str, Any] = {
            name: about[name] for name in ("headway_version", "git-info") if name in about
        }
        return {
            "script": self._code.main,
            "kind": self._code.kind,
            "sha": self._code.bundle,
            "user": self._run.summary.user,
            **known,
        }

    @property
    def script_name(self) -> str:
        """The flow's file within the package, or its module."""
        return self._code.main

    @property
    def flowspec(self) -> str:
        """The text of the flow's file."""
        main = self._code.main
        names = [main]
        if self._code.kind == "module":
            as_path = main.replace(".", "/")
            names = [f"{as_path}.py", f"{as_path}/__main__.py"]
        with self.tarball as tar:
            members = set(tar.getnames())
            for name in names:
                opened = tar.extractfile(name) if name in members else None
                if opened is not None:
                    return opened.read().decode("utf-8", "replace")
        raise NotFoundError(f"The package {self.path} holds no {names[0]}.")

    @property
    def tarball(self) -> "TarFile":
        """The package, opened for reading.

        Raises:
            NotFoundError: It is no longer in the datastore.
        """
        # With gzip and all, only for those who look into packages.
        import tarfile
        from io import BytesIO

        return tarfile.open(fileobj=BytesIO(self._bytes()), mode="r:gz")

    def extract(self) -> "TemporaryDirectory[str]":
        """Unpack it into a new folder, which goes with the object that is given, or at the end of its ``with``.

        Raises:
            NotFoundError: It is no longer in the datastore.
        """
        from tempfile import TemporaryDirectory

        folder = TemporaryDirectory(prefix="headway-code-")
        try:
            with self.tarball as tar:
                # Made by Headway of plain files; what is anything else is left out.
                for member in tar.getmembers():
                    _check_member(member.name)
                    if member.isfile():
                        tar.extract(member, folder.name)
        except BaseException:
            folder.cleanup()
            raise
        return folder

    def __str__(self) -> str:
        return f"<MetaflowCode: {self.script_name}>"

    __repr__ = __str__

    def __getstate__(self) -> Dict[str, Any]:
        return {**self.__dict__, "_data": None}

    def _bytes(self) -> bytes:
        if self._data is None:
            try:
                self._data = self._run.store.get(layout.code(self._run.flow, self._code.bundle))
            except KeyNotFoundError as error:
                raise NotFoundError(
                    f"The code of run {self._run.flow}/{self._run.run} is no longer at {self.path}."
                ) from error
        return self._data


def code_of(run: RunData) -> Optional[MetaflowCode]:
    """The code package of a run, None where none was shipped: where every step ran where it was started."""
    code = run.record.code
    return MetaflowCode(run, code) if code is not None and code.bundle else None


def _check_member(name: str) -> None:
    if name.startswith("/") or ".." in name.split("/"):
        raise HeadwayError(f"The package holds the path {name!r}, which leads out of it; it is not unpacked.")
