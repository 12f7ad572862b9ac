"""What is set and has no meaning here is named, and nothing else is."""

import json
from pathlib import Path

from headway.config.sources import Configuration
from headway.config.unused import unused_notice, unused_settings


def test_services_and_features_that_are_not_here_are_named(tmp_path: Path) -> None:
    environ = {
        "HOME": str(tmp_path),
        "METAFLOW_SERVICE_URL": "http://service:8080",
        "METAFLOW_BATCH_JOB_QUEUE": "queue",
        "HEADWAY_ARGO_EVENTS_EVENT": "x",
        "METAFLOW_DEFAULT_METADATA": "service",
        "METAFLOW_CARD_S3ROOT": "",
        "METAFLOW_RUN_SERVICE_URL": "a parameter",
    }
    configuration = Configuration.load(environ, tmp_path)
    assert unused_settings(configuration) == [
        "HEADWAY_ARGO_EVENTS_EVENT",
        "METAFLOW_BATCH_JOB_QUEUE",
        "METAFLOW_DEFAULT_METADATA",
        "METAFLOW_SERVICE_URL",
    ]
    assert unused_notice(configuration) == (
        "Set, and without meaning to Headway: HEADWAY_ARGO_EVENTS_EVENT, METAFLOW_BATCH_JOB_QUEUE, "
        "METAFLOW_DEFAULT_METADATA, METAFLOW_SERVICE_URL."
    )


def test_of_a_file_the_file_is_named_too(tmp_path: Path) -> None:
    (tmp_path / ".metaflowconfig").mkdir()
    file = tmp_path / ".metaflowconfig" / "config.json"
    file.write_text(json.dumps({"METAFLOW_SFN_IAM_ROLE": "arn", "METAFLOW_KUBERNETES_NAMESPACE": "ml"}))
    configuration = Configuration.load({"HOME": str(tmp_path)}, tmp_path)
    assert unused_settings(configuration) == [f"{file}: METAFLOW_SFN_IAM_ROLE"]


def test_what_counts_or_says_what_is_the_case_anyway_is_not(tmp_path: Path) -> None:
    environ = {
        "HOME": str(tmp_path),
        "METAFLOW_DEFAULT_METADATA": "local",
        "METAFLOW_DEFAULT_DATASTORE": "s3",
        "METAFLOW_KUBERNETES_CPU": "2",
        "METAFLOW_S3_ENDPOINT_URL": "http://minio:9000",
        "METAFLOW_USER": "ann",
        "METAFLOW_DEFAULT_EVENT_LOGGER": "nullSidecarLogger",
    }
    assert unused_notice(Configuration.load(environ, tmp_path)) == ""
