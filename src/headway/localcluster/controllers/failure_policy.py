"""What a job's pod failure policy says about a failed pod."""

from __future__ import annotations

from dataclasses import dataclass

from headway.localcluster.objects.meta import Object, name_of, namespace_of


@dataclass(frozen=True)
class Verdict:
    """What a failure means.

    Attributes:
        action: `Count`, `Ignore`, `FailIndex` or `FailJob`.
        message: Why, where a rule decided.
    """

    action: str = "Count"
    message: str = ""


def judge(policy: Object | None, pod: Object) -> Verdict:
    """Apply the first rule that matches.

    Args:
        policy: The job's `podFailurePolicy`, if it has one.
        pod: A pod that failed.
    """
    where = f"{namespace_of(pod)}/{name_of(pod)}"
    for place, rule in enumerate((policy or {}).get("rules") or ()):
        action = rule["action"]
        if codes := rule.get("onExitCodes"):
            found = _container_failing(codes, pod)
            if found is not None:
                name, code = found
                text = f"Container {name} for pod {where} failed with exit code {code} matching {action} rule"
                return Verdict(action, f"{text} at index {place}")
            continue
        for pattern in rule.get("onPodConditions") or ():
            if _has(pattern, pod):
                text = f"Pod {where} has condition {pattern['type']} matching {action} rule at index {place}"
                return Verdict(action, text)
    return Verdict()


def _container_failing(codes: Object, pod: Object) -> tuple[str, int] | None:
    status = pod["status"]
    containers = [*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())]
    for entry in containers:
        ended = (entry.get("state") or {}).get("terminated")
        if ended is None or ended["exitCode"] == 0:
            continue
        if codes.get("containerName") not in (None, entry["name"]):
            continue
        if (ended["exitCode"] in codes["values"]) is (codes["operator"] == "In"):
            return entry["name"], ended["exitCode"]
    return None


def _has(pattern: Object, pod: Object) -> bool:
    return any(
        entry["type"] == pattern["type"] and entry["status"] == pattern.get("status", "True")
        for entry in pod["status"].get("conditions") or ()
    )
