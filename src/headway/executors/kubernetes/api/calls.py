"""The one place through which every request goes: pace, credentials, retries, and errors that say why."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple

from headway.errors import ClusterConfigurationError
from headway.executors.kubernetes.api.access import ClusterAccess
from headway.executors.kubernetes.api.auth import Credentials, authenticator
from headway.executors.kubernetes.api.clock import Clock
from headway.executors.kubernetes.api.diagnosis import error_from_answer
from headway.executors.kubernetes.api.errors import ApiError, NoCredentials, Unreachable
from headway.executors.kubernetes.api.retry import (
    STANDARD_RETRY,
    Chance,
    Gate,
    RetryPolicy,
    Throttle,
    worth_retrying,
)
from headway.executors.kubernetes.api.transport import Answer, Request, Stream, Transport

Outcome = Answer | Stream


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is asked of the server, and for how long.

    Args:
        retry: How long to go on trying.
        request_timeout: Seconds for one try of one request.
        connect_timeout: Seconds to connect.
        in_flight: The most requests under way at once; streams count until they are open.
        rate: The most requests a second; None for no limit.
        burst: How many may come at once after a pause, where there is a rate.
    """

    retry: RetryPolicy = STANDARD_RETRY
    request_timeout: float = 30.0
    connect_timeout: float = 10.0
    in_flight: int = 32
    rate: float | None = None
    burst: int = 20


class RetryNotice(NamedTuple):
    """A request failed and will be sent again.

    Args:
        error: What came of it.
        attempt: How many tries failed so far, from 1.
        pause: Seconds until the next.
    """

    error: ApiError
    attempt: int
    pause: float


class Caller:
    """Sends requests and sees them through.

    Args:
        access: The cluster and who we are to it.
        limits: Time limits, retries, and how much may be asked of the server at once.
        on_retry: Told of each retry before its pause.
        clock: Time.
        chance: Random numbers from 0 to 1.
    """

    def __init__(
        self,
        access: ClusterAccess,
        limits: Limits,
        *,
        on_retry: Callable[[RetryNotice], None] | None,
        clock: Clock,
        chance: Chance,
    ) -> None:
        self._access = access
        self._retry = limits.retry
        self._on_retry = on_retry
        self._clock = clock
        self._chance = chance
        throttle = Throttle(limits.rate, limits.burst, clock) if limits.rate else None
        self._gate = Gate(limits.in_flight, throttle)
        self._authenticator = authenticator(access, clock)
        self._transport = Transport(
            access, request_timeout=limits.request_timeout, connect_timeout=limits.connect_timeout
        )
        self._answered = False

    async def open(self) -> None:
        """Make ready; nothing is sent yet."""
        await self._transport.open()

    async def close(self) -> None:
        """Close every connection and stop what still runs."""
        await self._authenticator.aclose()
        await self._transport.close()

    async def call(self, request: Request, retry: RetryPolicy | None = None) -> Answer:
        """Send a request until it is answered well.

        Args:
            request: What to send.
            retry: How long to go on trying, if not as usual.

        Raises:
            ApiError: What the last try came to; `sent` tells if one of the tries may have been carried out
                unseen.
        """
        answer = await self._until_good(request, retry or self._retry, self._transport.exchange)
        assert isinstance(answer, Answer), "an exchange reads the whole answer"
        return answer

    async def open_stream(
        self, request: Request, *, read_timeout: float | None, retry: RetryPolicy | None = None
    ) -> Stream:
        """Send a request until it is answered well, and leave the answer to be read.

        Args:
            request: What to send.
            read_timeout: The longest silence in seconds; None for no limit.
            retry: How long to go on trying to open it, if not as usual.

        Raises:
            ApiError: What the last try came to.
        """

        async def perform(request: Request, credentials: Credentials) -> Outcome:
            return await self._transport.stream(request, credentials, read_timeout)

        opened = await self._until_good(request, retry or self._retry, perform)
        assert isinstance(opened, Stream), "answers with an error status were turned into errors"
        return opened

    async def _until_good(
        self,
        request: Request,
        policy: RetryPolicy,
        perform: Callable[[Request, Credentials], Awaitable[Outcome]],
    ) -> Outcome:
        started = self._clock.monotonic()
        attempt, sent, renewed = 0, False, False
        while True:
            attempt += 1
            try:
                credentials = await self._authenticator.credentials()
                outcome = await self._once(request, credentials, perform)
                if not isinstance(outcome, ApiError):
                    return outcome
                error = outcome
                if error.status == 401 and not renewed:
                    renewed = await self._authenticator.renew(credentials)
                    if renewed:
                        continue
            except ClusterConfigurationError as unusable:
                error = self._no_credentials(unusable, request)
            sent |= error.sent
            error.sent = sent
            pause = policy.pause(attempt, self._chance(), error.retry_after)
            budget = policy.budget if self._answered else min(policy.budget, policy.first_contact)
            late = self._clock.monotonic() - started + pause > budget
            spent = policy.most is not None and attempt > policy.most
            if late or spent or not worth_retrying(error, repeatable=request.repeatable):
                raise error
            if self._on_retry is not None:
                self._on_retry(RetryNotice(error, attempt, pause))
            await self._clock.sleep(pause)

    async def _once(
        self,
        request: Request,
        credentials: Credentials,
        perform: Callable[[Request, Credentials], Awaitable[Outcome]],
    ) -> Outcome | ApiError:
        try:
            async with self._gate:
                outcome = await perform(request, credentials)
        except Unreachable as unreachable:
            return unreachable
        self._answered = True
        if isinstance(outcome, Stream) or outcome.status < 300:
            return outcome
        error = error_from_answer(
            outcome.status,
            outcome.body,
            request.target,
            server=self._access.server,
            source=self._access.source,
            retry_after=outcome.retry_after,
        )
        # A server that fails may have done what was asked all the same; one that sheds load has not begun.
        error.sent = outcome.status >= 500
        return error

    def _no_credentials(self, cause: ClusterConfigurationError, request: Request) -> NoCredentials:
        error = NoCredentials(cause.message, cause.hint, target=request.target)
        error.transient = self._answered
        error.__cause__ = cause
        return error
