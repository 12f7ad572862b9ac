"""What ``@timeout`` raises in a step."""

from metaflow._aliases import aliases

__getattr__, __dir__ = aliases(
    __name__,
    {
        "TimeoutException": "headway.runtime.limits:StepTimeoutError",
    },
)
