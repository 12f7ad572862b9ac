"""Azure Blob Storage by Azurite: installed where npm is at hand, which takes a minute once."""

import os
import shutil
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emulators.program import UnavailableError, bring, cache, serving
from headway.store.azure.endpoints import address_of
from headway.store.azure.session import Session
from headway.store.locations import AzureLocation

_PACKAGE, _VERSION = "azurite", "3.35.0"
_MAIN = Path("node_modules", "azurite", "dist", "src", "blob", "main.js")

#: The account and the key that every Azurite knows; they are public.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def program() -> list[str]:
    """How the server is started.

    Raises:
        UnavailableError: There is no Node.js on this machine, or npm cannot install it.
    """
    kept = cache() / f"{_PACKAGE}-{_VERSION}"
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise UnavailableError(f"there is no Node.js with npm on this machine to run {_PACKAGE}")
    if not (kept / _MAIN).exists():
        _install(npm, kept)
    return [node, str(kept / _MAIN)]


def _install(npm: str, kept: Path) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        options = ["--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        bring(_PACKAGE, [npm, "install", *options, f"{_PACKAGE}@{_VERSION}"])
        if not Path(folder, _MAIN).exists():
            raise UnavailableError(f"npm brought a {_PACKAGE} without {_MAIN}")
        try:
            # Whole or not at all, for others who look for it meanwhile.
            Path(folder).rename(kept)
        except OSError:
            assert (kept / _MAIN).exists(), "another one installed it at the same time"
        Path(folder).mkdir(exist_ok=True)


@contextmanager
def azurite(*containers: str, host: str = "127.0.0.1", folder: Path | None = None) -> Iterator[str]:
    """A running emulator.

    Args:
        containers: The containers that it has.
        host: The address of this machine that it listens on.
        folder: Where ``cert.pem``, ``key.pem`` and ``ca.pem`` are, for one by https that takes tokens, too: any
            that says the right things of itself, whoever signed it.

    Yields:
        The address of the account's blob service.

    Raises:
        UnavailableError: It cannot be had on this machine.
    """
    start = program()

    def command(port: int) -> list[str]:
        options = ["--inMemoryPersistence", "--silent", "--disableTelemetry", "--disableProductStyleUrl"]
        if folder is not None:
            options += [
                "--oauth",
                "basic",
                "--cert",
                str(folder / "cert.pem"),
                "--key",
                str(folder / "key.pem"),
            ]
        return [*start, "--blobHost", host, "--blobPort", str(port), *options]

    tls = ssl.create_default_context(cafile=str(folder / "ca.pem")) if folder is not None else None
    with serving(command, host, f"/{ACCOUNT}?comp=list", status=403, tls=tls) as port:
        service = f"{'http' if folder is None else 'https'}://{host}:{port}/{ACCOUNT}"
        for container in containers:
            environ = {**os.environ, **variables(service)}
            if folder is not None:
                environ["SSL_CERT_FILE"] = str(folder / "ca.pem")
            session = Session(address_of(AzureLocation(container), environ), environ)
            session.call("PUT", query=[("restype", "container")], accept=(201,), doing="making")
        yield service


def variables(service: str) -> dict[str, str]:
    """What tells a client of the emulator's account."""
    return {"HEADWAY_AZURE_STORAGE_BLOB_SERVICE_ENDPOINT": service, "AZURE_STORAGE_KEY": KEY}
