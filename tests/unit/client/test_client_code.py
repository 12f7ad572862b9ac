"""The code of a run, and the facts about tasks under the names that Metaflow's users look for."""

import io
import json
import pickle
import tarfile
from pathlib import Path

import pytest
from recorded_runs import RecordedRun, digits

from headway.client import Run, Task
from headway.errors import HeadwayError, NotFoundError
from headway.store import layout
from headway.store.batch import Code
from headway.store.folder import FolderStore

FLOW = "print('a flow')\n"


def shipped(folder: FolderStore, code: Code, files: dict[str, str]) -> Run:
    """A run whose code is in the datastore."""
    recorded = RecordedRun(folder)
    record = recorded.record._replace(code=code)
    folder.put(layout.run_record("Digits", "1"), record.encode())
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    folder.put(layout.code("Digits", code.bundle), buffer.getvalue())
    return Run("Digits/1")


def test_the_code_that_was_shipped(folder: FolderStore) -> None:
    code = Code("path", "flow.py", ("__main__", "Digits"), bundle="ab12")
    run = shipped(folder, code, {"flow.py": FLOW, "lib/helper.py": "x = 1\n"})
    assert run.code is not None
    assert (run.code.flowspec, run.code.script_name) == (FLOW, "flow.py")
    assert run.code.path == f"{folder.url}/v1/Digits/code/ab12"
    assert run.code.info["sha"] == "ab12"
    assert run.code.info["script"] == "flow.py"
    with run.code.tarball as tar:
        assert tar.getnames() == ["flow.py", "lib/helper.py"]
    with run.code.extract() as unpacked:
        assert Path(unpacked, "lib", "helper.py").read_text() == "x = 1\n"
    assert not Path(unpacked).exists()
    assert pickle.loads(pickle.dumps(run.code)).flowspec == FLOW
    task = run["_parameters"].task
    assert task is not None
    assert task.code is not None
    assert json.loads(task.metadata_dict["code-package"])["location"] == run.code.path


def test_the_code_of_a_module(folder: FolderStore) -> None:
    code = Code("module", "pkg.flows", ("pkg.flows", "Digits"), bundle="ab12")
    run = shipped(folder, code, {"pkg/__init__.py": "", "pkg/flows/__main__.py": FLOW})
    assert run.code is not None
    assert run.code.flowspec == FLOW


def test_code_that_is_gone_damaged_or_was_never_shipped(folder: FolderStore) -> None:
    run = shipped(folder, Code("path", "flow.py", ("__main__", "Digits"), bundle="ab12"), {"../out.py": ""})
    assert run.code is not None
    with pytest.raises(NotFoundError, match=r"holds no flow\.py"):
        _ = run.code.flowspec
    with pytest.raises(HeadwayError, match="leads out of it"):
        run.code.extract()
    folder.delete([layout.code("Digits", "ab12")])
    again = Run("Digits/1").code
    assert again is not None
    with pytest.raises(NotFoundError, match="no longer at"):
        _ = again.tarball
    RecordedRun(folder, "2")
    assert Run("Digits/2").code is None
    assert Run("Digits/2").trigger is None


def test_the_facts_have_the_names_that_people_look_for(folder: FolderStore) -> None:
    digits(folder, origin="0")
    known = Task("Digits/1/train/3").metadata_dict
    assert known["attempt"] == "0"
    assert known["attempt_ok"] == "True"
    assert known["ds-type"] == "local"
    assert known["ds-root"] == folder.url
    assert known["foreach-execution-path"] == "train:1"
    assert "foreach-stack" not in known, "there is no such artifact"
    assert known["headway_version"] == known["metaflow_version"] == "0.1.0"
    assert known["script-name"] == "digits.py"
    assert known["user"] == "ann"
    assert known["origin-run-id"] == "0"
    ends = Task("Digits/1/_parameters/0").metadata_dict
    assert (ends["start_step"], ends["end_step"]) == ("start", "end")
    assert "start_step" not in known
    assert "code-package" not in known
