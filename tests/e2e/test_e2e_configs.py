"""Configurations, included files, mutators and decorators of a flow's own, in pods and in the client."""

import shutil

from harness.workspace import FLOWS, Workspace


def test_what_a_flow_is_configured_with_reaches_its_pods(workspace: Workspace) -> None:
    folder = workspace.folder
    shutil.copy(FLOWS / "own_decorators.py", folder)
    (folder / "cfg.yaml").write_text(
        "model: {depth: 4, name: joe}\nmodes: {fast: fast, slow: slow}\npod: {cpu: 0.02, memory: 64, disk: 50}\n"
    )
    (folder / "text.txt").write_bytes("grün\r\n".encode())
    (folder / "raw.bin").write_bytes(b"\x00\xff")
    (folder / "doc.json").write_text('{"a": 1}')
    result = workspace.run_flow(
        "configured.py",
        "run",
        "--raw",
        "raw.bin",
        "--datastore=s3",
        "--with",
        "own_decorators.noted:label=late",
    )
    assert result.returncode == 0, result.all
    run = workspace.read("ConfiguredFlow", result)
    end = run.task("end").data
    assert end["seen"] == [4, "4", 4, 40]
    assert end["files"] == ["grün\n", [0, 255], {"a": 1}, None]
    assert (end["caught"], end["before"], end["noted"]) == ("boo", ["start", "joe"], ["end", "late"])
    assert end["got"] == [[1, "joe", 40], [2, "joe", 40]]
    assert end["text"] == "grün\n"
    assert end["cfg"]["model"] == {"depth": 4, "name": "joe"}
    assert end["extra"] == 40
    assert "immutable" in end["refused"]
    assert len(workspace.pods()) == 4, "two steps and two tasks of a foreach; the other steps ran here"
    assert run.task("fails").successful
