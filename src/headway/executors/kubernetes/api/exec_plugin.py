"""Run a kubeconfig's exec plugin, and keep what it printed for as long as that is good."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
from dataclasses import dataclass, field
from datetime import datetime
from math import inf
from pathlib import Path
from typing import Any

import msgspec

from headway.errors import ClusterConfigurationError
from headway.executors.kubernetes.api.access import ExecPlugin
from headway.executors.kubernetes.api.clock import Clock

_SKEW = 60.0
"""Seconds before its expiry at which a credential is renewed, while it still serves."""
_LAST_MOMENT = 5.0
"""Seconds before its expiry from which on a credential is no longer sent."""
_TIMEOUT = 60.0
_SHOWN = 2000


@dataclass(frozen=True, slots=True)
class ExecCredential:
    """What a plugin printed.

    Args:
        token: A bearer token.
        certificate: A client certificate, PEM.
        key: Its key, PEM.
        expires: When all of it ends, in seconds since 1970; infinity means when the server says so.
    """

    token: str | None = field(default=None, repr=False)
    certificate: bytes | None = None
    key: bytes | None = field(default=None, repr=False)
    expires: float = inf

    def serves(self, now: float) -> bool:
        """Tell whether it can still be sent."""
        return now < self.expires - _LAST_MOMENT


class ExecCredentialSource:
    """Credentials from an exec plugin: run when needed, once for all who wait, renewed before they expire.

    Args:
        plugin: What to run.
        source: Where it was configured, for messages.
        clock: For expiry.
        timeout: Seconds the plugin may take.
    """

    def __init__(self, plugin: ExecPlugin, source: str, clock: Clock, timeout: float = _TIMEOUT) -> None:
        self._plugin = plugin
        self._source = source
        self._clock = clock
        self._timeout = timeout
        self._credential: ExecCredential | None = None
        self._renew_at = 0.0
        self._running: asyncio.Task[ExecCredential] | None = None

    async def current(self) -> ExecCredential:
        """Return a credential that is good now.

        Raises:
            ClusterConfigurationError: If the plugin cannot be run, fails, or prints something else.
        """
        credential, now = self._credential, self._clock.wall()
        if credential is not None and credential.serves(now):
            if now >= self._renew_at and self._running is None:
                self._start()  # beside the requests, which go on with the old one
            return credential
        # Shielded: one caller who gives up does not take the answer from the others.
        return await asyncio.shield(self._running or self._start())

    def discard(self, credential: ExecCredential) -> None:
        """Forget a credential that the server refused, unless a newer one came meanwhile."""
        if credential is self._credential:
            self._credential = None

    async def aclose(self) -> None:
        """Stop the plugin if it still runs."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])

    def _start(self) -> asyncio.Task[ExecCredential]:
        # A renewal that fails early is tried again a little later, not with every request.
        self._renew_at = self._clock.wall() + _LAST_MOMENT
        self._running = asyncio.get_running_loop().create_task(self._run(), name="exec credential plugin")
        self._running.add_done_callback(self._finished)
        return self._running

    def _finished(self, task: asyncio.Task[ExecCredential]) -> None:
        self._running = None
        if task.cancelled() or task.exception() is not None:
            return
        self._credential = task.result()
        expires = self._credential.expires
        lifetime = expires - self._clock.wall()
        self._renew_at = expires - min(_SKEW, lifetime / 2) if lifetime < inf else inf

    async def _run(self) -> ExecCredential:
        plugin = self._plugin
        if plugin.interactive_mode == "Always":
            raise self._error("wants to talk to a terminal (interactiveMode: Always), which it cannot here")
        environment = {**os.environ, **dict(plugin.env), "KUBERNETES_EXEC_INFO": _exec_info(plugin)}
        command = shutil.which(plugin.command, path=environment.get("PATH"))
        if command is None:
            raise ClusterConfigurationError(
                f"The command {plugin.command!r}, which {self._source} runs to log in, is not installed "
                f"or not executable{_on_path(plugin.command)}.",
                plugin.install_hint or f"Install {Path(plugin.command).name}, then try again.",
            )
        out, errors, code = await self._execute([command, *plugin.args], environment)
        if code != 0:
            raise self._error(f"failed with exit code {code}{_quoted(errors)}")
        return self._parsed(out)

    async def _execute(self, argv: list[str], environment: dict[str, str]) -> tuple[bytes, bytes, int]:
        """Run the plugin in a session of its own, so that the terminal's Ctrl-C is ours to interpret."""
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            raise self._error(f"cannot be run: {error.strerror or error}") from error
        assert process.stdout is not None
        assert process.stderr is not None
        # Both read apart from the waiting, so that what was said before a timeout is there to be shown.
        errors = bytearray()
        reading = asyncio.gather(process.stdout.read(), _collect(process.stderr, errors))
        limit = asyncio.ensure_future(self._clock.sleep(self._timeout))
        try:
            first: set[asyncio.Future[Any]] = {reading, limit}
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
            if not reading.done():
                raise self._error(f"did not finish within {self._timeout:.0f} s{_quoted(bytes(errors))}")
            out, _ = reading.result()
            return out, bytes(errors), await process.wait()
        finally:
            limit.cancel()
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                reading.cancel()
                await process.wait()

    def _parsed(self, out: bytes) -> ExecCredential:
        try:
            answer = msgspec.json.decode(out, type=_Answer)
        except msgspec.MsgspecError:
            # Not chained: the text may hold a token.
            raise self._error("printed something that is no ExecCredential") from None
        if answer.api_version != self._plugin.api_version:
            said = answer.api_version or "no version"
            raise self._error(f"answered in {said}, the kubeconfig says {self._plugin.api_version}")
        status = answer.status
        if status is None or not (status.token or status.client_certificate_data):
            raise self._error("printed neither a token nor a client certificate")
        if bool(status.client_certificate_data) != bool(status.client_key_data):
            raise self._error("printed a client certificate without its key, or a key alone")
        return ExecCredential(
            token=status.token.strip() or None,
            certificate=status.client_certificate_data.encode() or None,
            key=status.client_key_data.encode() or None,
            expires=status.expiration_timestamp.timestamp() if status.expiration_timestamp else inf,
        )

    def _error(self, what: str) -> ClusterConfigurationError:
        return ClusterConfigurationError(
            f"The command {self._plugin.command!r}, which {self._source} runs to log in, {what}.",
            "Run `kubectl get pods` with the same kubeconfig, log in there if it asks you to, and try again.",
        )


class _AnswerStatus(msgspec.Struct, rename="camel"):
    token: str = ""
    client_certificate_data: str = ""
    client_key_data: str = ""
    expiration_timestamp: datetime | None = None


class _Answer(msgspec.Struct, rename="camel"):
    api_version: str = ""
    status: _AnswerStatus | None = None


def _exec_info(plugin: ExecPlugin) -> str:
    spec: dict[str, object] = {"interactive": False}
    if plugin.cluster_info is not None:
        spec["cluster"] = plugin.cluster_info
    return json.dumps({"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec})


def _on_path(command: str) -> str:
    return "" if os.sep in command else " (looked for on PATH)"


async def _collect(stream: asyncio.StreamReader, into: bytearray) -> None:
    while chunk := await stream.read(4096):
        into += chunk
        del into[:-_SHOWN]


def _quoted(errors: bytes) -> str:
    text = errors.decode(errors="replace").strip()
    return f"; it said:\n{text}\n" if text else ""
