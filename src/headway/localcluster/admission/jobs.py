"""Validation of jobs."""

from __future__ import annotations

from headway.localcluster.admission.names import labels
from headway.localcluster.admission.pods import pod_spec
from headway.localcluster.objects.failures import (
    Cause,
    invalid,
    required,
    unsupported,
)
from headway.localcluster.objects.meta import Object, copied

_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_MODES = ("Indexed", "NonIndexed")
_REPLACEMENT = ("Failed", "TerminatingOrFailed")
_COUNTS = (
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
    "ttlSecondsAfterFinished",
)
_MUTABLE = (
    "parallelism",
    "suspend",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "manualSelector",
)
_MAX_INDEXED_PARALLELISM = 100_000


def job(obj: Object) -> list[Cause]:
    """Check a job, with defaults filled in."""
    spec = obj["spec"]
    causes = [
        invalid(f"spec.{name}", spec[name], "must be greater than or equal to 0")
        for name in _COUNTS
        if spec.get(name) is not None and spec[name] < 0
    ]
    mode = spec["completionMode"]
    if mode not in _MODES:
        causes.append(unsupported("spec.completionMode", mode, _MODES))
    if mode == "Indexed":
        causes += _indexed(spec)
    else:
        for name in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if spec.get(name) is not None:
                causes.append(invalid(f"spec.{name}", spec[name], "requires indexed completion mode"))
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        text = "when maxFailedIndexes is specified"
        causes.append(required("spec.backoffLimitPerIndex", text))
    if spec["podReplacementPolicy"] not in _REPLACEMENT:
        causes.append(unsupported("spec.podReplacementPolicy", spec["podReplacementPolicy"], _REPLACEMENT))
    causes += _failure_policy(spec)
    template = spec["template"]
    causes += labels("spec.template.labels", template["metadata"].get("labels") or {})
    return causes + _template(template["spec"])


def _template(spec: Object) -> list[Cause]:
    if spec["restartPolicy"] == "Always":
        wrong = required("spec.template.spec.restartPolicy", 'valid values: "OnFailure", "Never"')
        return [*pod_spec(spec, "spec.template.spec"), wrong]
    return pod_spec(spec, "spec.template.spec", ("Never", "OnFailure"))


def _indexed(spec: Object) -> list[Cause]:
    causes = []
    if spec.get("completions") is None:
        causes.append(required("spec.completions", "when completion mode is Indexed"))
    if spec["parallelism"] > _MAX_INDEXED_PARALLELISM:
        text = f"must be less than or equal to {_MAX_INDEXED_PARALLELISM} when completion mode is Indexed"
        causes.append(invalid("spec.parallelism", spec["parallelism"], text))
    return causes


def _failure_policy(spec: Object) -> list[Cause]:
    policy = spec.get("podFailurePolicy")
    if policy is None:
        return []
    causes: list[Cause] = []
    if spec["template"]["spec"]["restartPolicy"] != "Never":
        text = 'only "Never" is supported when podFailurePolicy is specified'
        given = spec["template"]["spec"]["restartPolicy"]
        causes.append(invalid("spec.template.spec.restartPolicy", given, text))
    if spec["podReplacementPolicy"] != "Failed":
        given = spec["podReplacementPolicy"]
        causes.append(unsupported("spec.podReplacementPolicy", given, ("Failed",)))
    names = {container.get("name") for container in spec["template"]["spec"].get("containers") or ()}
    for i, rule in enumerate(policy.get("rules") or ()):
        causes += _rule(rule, f"spec.podFailurePolicy.rules[{i}]", names, spec)
    return causes


def _rule(rule: Object, field: str, names: set[str], spec: Object) -> list[Cause]:
    causes: list[Cause] = []
    action = rule.get("action")
    if not action:
        causes.append(required(f"{field}.action", f"valid values: {list(_ACTIONS)}"))
    elif action not in _ACTIONS:
        causes.append(unsupported(f"{field}.action", action, _ACTIONS))
    elif action == "FailIndex" and spec.get("backoffLimitPerIndex") is None:
        causes.append(invalid(f"{field}.action", action, "requires the backoffLimitPerIndex to be set"))
    codes, conditions = rule.get("onExitCodes"), rule.get("onPodConditions")
    if (codes is None) == (not conditions):
        text = "specifying one of OnExitCodes and OnPodConditions is required"
        if codes is not None:
            text = "specifying both OnExitCodes and OnPodConditions is not supported"
        causes.append(Cause(field, "FieldValueInvalid", f"Invalid value: {text}"))
    if codes is not None:
        if codes.get("operator") not in ("In", "NotIn"):
            causes.append(
                unsupported(f"{field}.onExitCodes.operator", codes.get("operator"), ("In", "NotIn"))
            )
        values = codes.get("values") or []
        if not values:
            causes.append(invalid(f"{field}.onExitCodes.values", values, "at least one value is required"))
        if 0 in values and codes.get("operator") == "In":
            text = "must not be 0 for the In operator"
            causes.append(invalid(f"{field}.onExitCodes.values[{values.index(0)}]", 0, text))
        name = codes.get("containerName")
        if name is not None and name not in names:
            text = "must be one of the container or initContainer names in the pod template"
            causes.append(invalid(f"{field}.onExitCodes.containerName", name, text))
    return causes


def job_update(new: Object, old: Object) -> list[Cause]:
    """Check that an update of a job touches only what may change."""
    causes = job(new)
    after, before = copied(new["spec"]), copied(old["spec"])
    if before.get("suspend") or after.get("suspend"):
        for spec in (after, before):
            for name in ("nodeSelector", "tolerations", "schedulingGates", "affinity"):
                spec["template"]["spec"].pop(name, None)
            for name in ("labels", "annotations"):
                spec["template"]["metadata"].pop(name, None)
    if before.get("completionMode") == "Indexed" and after.get("completions") == after.get("parallelism"):
        after["completions"] = before.get("completions")
    causes += [
        invalid(f"spec.{name}", after.get(name), "field is immutable")
        for name in sorted(set(before) | set(after))
        if name not in _MUTABLE and before.get(name) != after.get(name)
    ]
    return causes
