"""Names of Jobs, containers, config maps and volumes, as Kubernetes takes them.

A Job's name is a function of run and batch alone, so that a create whose answer was lost is settled
by looking the name up. It begins with flow and step, for the eyes, and ends with a hash of flow, run,
step and batch, which alone makes it unique: the readable part may be cut.
"""

import base64
import hashlib
import re

from headway.config.kubernetes import KubernetesSettings
from headway.store.batch import Batch

#: A name that must be a DNS label (a container, a volume, the host name of an indexed pod).
LABEL_LENGTH = 63
#: What Kubernetes appends to the name of an indexed Job for its pods: ``-<index, 5 digits>-<5 random>``.
_POD_SUFFIX = len("-99999-abcde")
_JOB_LENGTH = LABEL_LENGTH - _POD_SUFFIX
#: 50 bits: a million Jobs kept in one namespace collide with a chance of 1 in 2,000.
_HASH_LENGTH = 10

_OTHER = re.compile(r"[^a-z0-9]+")

#: How the names of the config maps begin that carry the in-pod runtime.
RUNTIME_PREFIX = "headway-runtime-"


def job_of(settings: KubernetesSettings, batch: Batch) -> str:
    """The name of a batch's Job."""
    return job_name(batch.flow, batch.step, batch.run, batch.name, settings.job_name_prefix or "")


def job_name(flow: str, step: str, run: str, batch: str, prefix: str = "") -> str:
    """``[<prefix>-]<flow>-<step>-<hash>``, short enough that the names of its pods are DNS labels too."""
    digest = short_hash(f"{flow}/{run}/{step}/{batch}")
    head, tail = dns_words(flow) or "flow", dns_words(step)
    room = _JOB_LENGTH - len(digest) - 2 - (len(prefix) + 1 if prefix else 0)
    if len(head) + len(tail) > room:
        # The step tells more, yet the flow keeps at least half of what there is.
        head = head[: max(room - len(tail), room // 2)].rstrip("-")
        tail = tail[: room - len(head)].rstrip("-")
    # A gang's Service has the Job's name, and that must begin with a letter.
    name = "-".join(part for part in (prefix, head, tail, digest) if part)
    return name if name[0].isalpha() else f"f{name}"[:_JOB_LENGTH]


def container_name(step: str) -> str:
    """The step's name with ``-`` for ``_``."""
    words = dns_words(step) or "step"
    return words if len(words) <= LABEL_LENGTH else _cut(words, step)


def runtime_config_map_name(digest: str) -> str:
    """The config map of one version of the in-pod runtime, by the hash of its content."""
    return f"{RUNTIME_PREFIX}{digest[:16].lower()}"


def run_secret_name(flow: str, run: str) -> str:
    """The secret of one run, which lends its pods the launcher's way into the datastore."""
    return f"headway-run-{short_hash(f'{flow}/{run}')}"


def volume_name(claim: str) -> str:
    """The claim's own name where that can name a volume, else its beginning and a hash of it."""
    words = dns_words(claim)
    if claim and words == claim and len(claim) <= LABEL_LENGTH:
        return claim
    return _cut(words, claim)


def dns_words(text: str) -> str:
    """Lower case, with ``-`` for whatever a DNS label cannot hold; empty where nothing is left."""
    return _OTHER.sub("-", text.lower()).strip("-")


def short_hash(text: str) -> str:
    """Ten lower-case letters and digits that stand for a text."""
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode().lower()[:_HASH_LENGTH]


def _cut(words: str, text: str) -> str:
    start = words[: LABEL_LENGTH - _HASH_LENGTH - 1].rstrip("-")
    return f"{start}-{short_hash(text)}" if start else short_hash(text)
