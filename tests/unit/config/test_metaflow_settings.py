"""Every setting that Metaflow knows is read here, or named where it is set: none is passed over in silence."""

import ast
import functools
import re
from pathlib import Path

import pytest

from headway.config.fields import settings_of
from headway.config.kubernetes import KubernetesSettings
from headway.config.sources import Configuration
from headway.config.unused import is_unused, unused_settings
from headway.runtime.secret_sources import SETTINGS as OF_SECRETS

ROOT = Path(__file__).parents[3]
LIST = Path(__file__).with_name("metaflow_settings.txt")
NAMES = [name for line in LIST.read_text().splitlines() if not line.startswith("#") for name in line.split()]

#: Read under names that are put together: the kind of datastore, the option that the variable stands for.
PUT_TOGETHER = {
    "DATASTORE_SYSROOT_AZURE",
    "DATASTORE_SYSROOT_GS",
    "DATASTORE_SYSROOT_S3",
    "DATASTORE",
    "ENVIRONMENT",
    "EVENT_LOGGER",
    "METADATA",
    "MONITOR",
    "PROFILE",
}


@functools.cache
def read() -> frozenset[str]:
    """Every name that the code holds as a whole text, with or without prefix, where names are asked for."""
    found = {name for setting in settings_of(KubernetesSettings).values() for name in setting.variables}
    for path in (ROOT / "src/headway").rglob("*.py"):
        if path.name in ("unused.py", "misspelt.py", "quick.py") or "localcluster" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(re.sub("^(HEADWAY|METAFLOW)_", "", node.value))
    return frozenset(found | set(OF_SECRETS) | PUT_TOGETHER)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_read_or_named(name: str, tmp_path: Path) -> None:
    assert is_unused(name) != (name in read()), "read and named, or neither"
    configuration = Configuration({f"METAFLOW_{name}": "something"}, str(tmp_path))
    assert unused_settings(configuration) == ([f"METAFLOW_{name}"] if is_unused(name) else [])


def test_the_list_is_the_whole_list() -> None:
    assert len(NAMES) == len(set(NAMES)) > 170


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("DEBUG_S3CLIENT", "1", True),
        ("DEBUG_S3CLIENT", "0", False),
        ("DEBUG_S3CLIENT", False, False),
        ("S3_VERIFY_CERTIFICATE", "true", False),
        ("S3_VERIFY_CERTIFICATE", "false", True),
        ("INCLUDE_FOREACH_STACK", False, True),
        ("DEFAULT_AWS_CLIENT_PROVIDER", "boto3", False),
        ("DEFAULT_AWS_CLIENT_PROVIDER", "obp", True),
        ("DEFAULT_MONITOR", "nullSidecarMonitor", False),
        ("SERVICE_VERSION_CHECK", "False", False),
        ("SPIN_PERSIST", "1", False),
        ("SPIN_ALLOWED_DECORATORS", "conda", True),
        ("CONTACT_INFO", {"Chat": "https://chat.example.com"}, True),
    ],
)
def test_a_value_that_asks_for_nothing_more_is_not_named(
    name: str, value: object, named: bool, tmp_path: Path
) -> None:
    environ = {} if not isinstance(value, str) else {f"METAFLOW_{name}": value}
    configuration = Configuration(environ, str(tmp_path))
    if not environ:
        import json

        (tmp_path / "config.json").write_text(json.dumps({f"METAFLOW_{name}": value}))
        configuration = Configuration.load({"METAFLOW_HOME": str(tmp_path)}, tmp_path)
    assert bool(unused_settings(configuration)) == named
