"""What is tried, and told, of a Job that gets no pod where nobody may read the events that say why. Pure.

The commonest cause that has a remedy is a namespace that enforces Pod Security *restricted* and that may not be
read either. So one Job is tried as that asks. Where its pods come, so do all others of the namespace from then
on; where they do not either, something else is in the way, and it goes back to what its image is made for.
"""

import enum

from headway.executors.kubernetes.refusal import Refusal
from headway.executors.kubernetes.tracked import TrackedJob
from headway.runtime.limits import duration

#: Seconds in which the Job controller makes a pod if nothing is in its way.
NO_POD = 15.0


class Move(enum.Enum):
    """What is to be done about a Job without pods."""

    #: It waits.
    WAIT = "wait"
    #: Its pods are tried as *restricted* asks.
    TRY = "try"
    #: They are restricted: that is known to be what the namespace wants.
    RESTRICT = "restrict"
    #: They were tried so, in vain: back to what they were.
    RELAX = "relax"


class _State(enum.Enum):
    """What is known of a namespace."""

    ON_TRIAL = "on trial"
    #: Restricted pods are made there where others were not.
    RESTRICTED = "restricted"
    #: Pods are made there as they are, or are not whatever they are.
    SETTLED = "settled"


class Trials:
    """Which namespaces something is tried in, and what came of it."""

    def __init__(self) -> None:
        self._states: dict[str, _State] = {}

    def has_pod(self, job: TrackedJob) -> bool:
        """A pod of the Job was seen; tells whether that shows that its namespace wants *restricted*."""
        state = self._states.get(job.namespace)
        if job.on_trial and state is _State.ON_TRIAL:
            self._states[job.namespace] = _State.RESTRICTED
            return True
        if state in (None, _State.ON_TRIAL):
            self._states[job.namespace] = _State.SETTLED
        return False

    def next(self, job: TrackedJob) -> Move:
        """What to do about a Job that had no pod for so long."""
        state = self._states.get(job.namespace)
        if job.on_trial:
            if state is _State.ON_TRIAL:
                self._states[job.namespace] = _State.SETTLED
            return Move.WAIT if state is _State.RESTRICTED else Move.RELAX
        if job.settings.security_profile != "auto" or state in (_State.ON_TRIAL, _State.SETTLED):
            return Move.WAIT
        if state is _State.RESTRICTED:
            return Move.RESTRICT
        self._states[job.namespace] = _State.ON_TRIAL
        return Move.TRY


def trial_words(job: TrackedJob) -> str:
    """That a Job's pods are tried otherwise."""
    return (
        f"no pod was made for it in {duration(NO_POD)}, and you may not list the events of namespace "
        f"{job.namespace} that say why: its pods are tried as Pod Security *restricted* asks"
    )


def no_pod(job: TrackedJob) -> Refusal:
    """That a Job has no pod, and that nobody may read why."""
    place = job.namespace
    return Refusal(
        "NoPod",
        f"no pod was made for its Job {job.name} in {duration(NO_POD)}, and why stands in events, which you may "
        f"not list in namespace {place}",
        "A quota, Pod Security, a policy or a service account that is not there may be in the way: whoever may, types "
        f"kubectl --namespace {place} describe job {job.name}. Ask for the right to list events there.",
        waits=True,
    )
