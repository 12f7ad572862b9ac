"""What pods are told of the configuration of S3, the client for people's own data."""

import json
from pathlib import Path

import pytest

from headway.config.data import data_environment
from headway.config.sources import Configuration
from headway.config.unused import unused_settings
from headway.errors import SettingsError


def loaded(folder: Path, **variables: str) -> Configuration:
    return Configuration.load({"HOME": str(folder), **variables}, folder)


def test_what_stands_in_files_and_variables_becomes_variables_of_pods(tmp_path: Path) -> None:
    (tmp_path / ".metaflowconfig").mkdir()
    file = tmp_path / ".metaflowconfig" / "config.json"
    file.write_text(json.dumps({"METAFLOW_DATATOOLS_S3ROOT": "s3://bucket/data/"}))
    configuration = loaded(tmp_path, METAFLOW_S3_SERVER_SIDE_ENCRYPTION="aws:kms")
    assert data_environment(configuration) == {
        "HEADWAY_DATATOOLS_S3ROOT": "s3://bucket/data",
        "HEADWAY_S3_SERVER_SIDE_ENCRYPTION": "aws:kms",
    }
    assert unused_settings(configuration) == []


def test_nothing_configured_is_nothing_told(tmp_path: Path) -> None:
    assert data_environment(loaded(tmp_path)) == {}


def test_a_root_that_is_none_is_refused_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="METAFLOW_DATATOOLS_S3ROOT"):
        data_environment(loaded(tmp_path, METAFLOW_DATATOOLS_S3ROOT="gs://bucket/x"))


def test_counts_and_the_folder_of_the_data_reach_pods(tmp_path: Path) -> None:
    configuration = loaded(
        tmp_path,
        METAFLOW_S3_RETRY_COUNT="0",
        METAFLOW_S3_WORKER_COUNT="64",
        METAFLOW_DATATOOLS_SUFFIX="things",
    )
    assert data_environment(configuration) == {
        "HEADWAY_DATATOOLS_SUFFIX": "things",
        "HEADWAY_S3_RETRY_COUNT": "0",
        "HEADWAY_S3_WORKER_COUNT": "64",
    }


@pytest.mark.parametrize("variable", ["METAFLOW_S3_RETRY_COUNT", "METAFLOW_S3_WORKER_COUNT"])
@pytest.mark.parametrize("value", ["-1", "many", "1.5", "1001"])
def test_a_count_that_is_none_is_refused_before_the_run(tmp_path: Path, variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        data_environment(loaded(tmp_path, **{variable: value}))
