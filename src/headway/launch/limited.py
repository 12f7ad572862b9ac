"""A command that is given so long, and then the time to clear away what it made."""

import subprocess
from collections.abc import Mapping, Sequence
from typing import NamedTuple

#: Seconds in which a launcher takes its pods away: their own grace, and what a busy cluster takes.
_TO_CLEAR = 60.0


class Ended(NamedTuple):
    """How a command ended.

    Attributes:
        code: Its exit code; None where its time was over.
        stdout: What it printed.
        stderr: What it said, as far as it said it in its time.
        killed: Whether it had to be killed, and so left behind whatever it had made.
    """

    code: int | None
    stdout: str
    stderr: str
    killed: bool = False


def run_limited(
    command: Sequence[str], seconds: float, env: Mapping[str, str], to_clear: float = _TO_CLEAR
) -> Ended:
    """Run a command; once its time is over it is told to stop, and killed only if that does not help.

    Args:
        command: What to run.
        seconds: How long it may take.
        env: With which variables, and no others.
        to_clear: Seconds that it is given after that.
    """
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", env=dict(env)
    ) as process:
        try:
            stdout, stderr = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as expired:
            # Bytes, whatever was asked for: https://github.com/python/cpython/issues/87597
            said = bytes(expired.stderr or b"").decode(errors="replace")
        else:
            return Ended(process.returncode, stdout, stderr)
        # What was started in the background is deaf to SIGINT, and so are its children.
        process.terminate()
        try:
            stdout, _ = process.communicate(timeout=to_clear)
        except subprocess.TimeoutExpired:
            process.kill()
            stdout, _ = process.communicate()
            return Ended(None, stdout, said, killed=True)
        return Ended(None, stdout, said)
