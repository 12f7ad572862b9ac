"""Every setting of ZenML's Kubernetes step operator is one here, or the page of settings says why not."""

import re
from pathlib import Path

import pytest

from headway.config.fields import settings_of
from headway.config.kubernetes import KubernetesSettings

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT.parent / "shared" / "reference" / "zenml-step-operator.md"

#: The fields of its configuration and of its pod settings, in ZenML 0.98.
FIELDS = frozenset({
    "kubernetes_namespace", "incluster", "kubernetes_context", "pod_settings", "pod_count", "service_account_name",
    "privileged", "job_name_prefix", "ttl_seconds_after_finished", "active_deadline_seconds",
    "fail_on_container_waiting_reasons", "api_request_timeout", "max_api_retries", "pod_startup_timeout",
    "pod_failure_max_retries", "pod_failure_retry_delay", "pod_failure_backoff",
    "node_selectors", "affinity", "tolerations", "resources", "annotations", "labels", "volumes", "volume_mounts",
    "env", "env_from", "host_ipc", "scheduler_name", "image_pull_secrets", "container_security_context",
    "additional_pod_spec_args",
})  # fmt: skip


@pytest.mark.parametrize("field", sorted(FIELDS))
def test_each_is_a_setting_or_named_with_the_reason(field: str) -> None:
    table = settings_of(KubernetesSettings).values()
    known = {name for setting in table if setting.argument for name in (setting.name, *setting.aliases)}
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    reasons = page.partition("# Coming from ZenML")[2].partition("\n# ")[0]
    row = re.search(rf"^\| [^|]*`{field}`[^|]*\| (.+) \|$", reasons, re.MULTILINE)
    assert (field in known) != bool(row), "one of both"


@pytest.mark.skipif(not REFERENCE.exists(), reason="the notes on ZenML are not beside this checkout")
def test_the_list_is_the_references() -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    found = set()
    for heading in ("### KubernetesStepOperatorConfig", "## 3. KubernetesPodSettings"):
        part = re.split(r"\n##", text.partition(heading)[2], maxsplit=1)[0]
        for line in part.splitlines():
            if line.startswith("|") and not line.startswith(("| Field", "|---")):
                found |= set(re.findall(r"[a-z]+(?:_[a-z]+)*", re.sub(r"\([^)]*\)", "", line.split("|")[1])))
    assert found == FIELDS
