"""Pipelines of functions: called from a program, started by a command, failed and resumed; here and as pods."""

from harness.workspace import Workspace

PIPELINE = "training"


def test_a_program_calls_its_pipeline_and_goes_on_with_the_run(workspace: Workspace) -> None:
    done = workspace.run_flow("pipeline.py", "--an-option-of-the-program")
    assert done.returncode == 0, done.all
    assert (workspace.folder / "ran.txt").read_text() == f"training/{done.run_id} True 800.0"
    run = workspace.read(PIPELINE)
    assert {name: len(tasks) for name, tasks in run.steps.items() if not name.startswith("_")} == {
        "load": 1, "train": 1, "train_2": 1, "train_3": 1, "shaky": 1, "compare": 1, "tell": 1,
    }  # fmt: skip
    assert run.task("train_2").data["score"] == 120.0
    assert run.task("train").data["place"] == "a pod"
    assert run.task("compare").data["result"] == {"best": 800.0, "tries": 1, "of": 3}
    assert [attempt.successful for attempt in run.task("shaky").attempts] == [False, True]
    assert "the best is" in run.task("tell").stdout
    pods = workspace.pods()
    assert len(pods) == 5
    assert sum(pod["metadata"]["labels"].get("of") == "a-pipeline" for pod in pods) == 3
    assert {pod["metadata"]["labels"]["pipeline"] for pod in pods} == {PIPELINE}
    assert workspace.unowned() == []


def test_a_pipeline_that_failed_is_resumed_with_its_parameters(workspace: Workspace) -> None:
    file = workspace.flow_file("pipeline.py")
    text = file.read_text()
    file.write_text(text.replace("BROKEN = False", "BROKEN = True"))
    failed = workspace.start_command(
        ["python", "pipeline.py", "run", "--rows", "3", "--powers", "[1, 2]"]
    ).wait()
    assert failed.returncode == 1, failed.all
    assert "comparing is broken" in failed.stderr
    assert "To run the rest: python pipeline.py resume" in failed.stderr
    file.write_text(text)
    resumed = workspace.start_command(["python", "pipeline.py", "resume"]).wait()
    assert resumed.returncode == 0, resumed.all
    run = workspace.read(PIPELINE)
    assert run.task("compare").data["result"] == {"best": 20.0, "tries": 1, "of": 2}
    assert len(workspace.pods(f"metaflow/run_id={resumed.run_id}")) == 0
    assert "train_3" not in run.steps
    spun = workspace.start_command(["python", "pipeline.py", "spin", "compare"]).wait()
    assert spun.returncode == 0, spun.all
    assert "compares all [6.0, 20.0]" in spun.stdout


def test_the_program_around_a_pipeline_of_other_modules_may_need_what_pods_do_not_have(
    workspace: Workspace,
) -> None:
    folder = workspace.folder
    (folder / "training_steps.py").write_text(
        "from headway import kubernetes, pipeline, step\n\n\n"
        "@kubernetes\n@step\ndef train(rate: float, names: dict) -> list:\n    return [rate, names]\n\n\n"
        "@pipeline\ndef training(rate: float, names: dict = {1: 'one'}):\n    train(rate, names)\n"
    )
    (folder / "program.py").write_text(
        "import os\nfrom pathlib import Path\nfrom training_steps import training\n\n"
        "if 'KUBERNETES_SERVICE_HOST' in os.environ:\n    import only_where_it_is_started\n\n"
        "if __name__ == '__main__':\n    run = training.with_options(parameters={'rate': 0.5})()\n"
        "    Path('ran.txt').write_text(repr(run['train'].task.data.output))\n"
    )
    done = workspace.start_command(["python", "program.py"]).wait()
    assert done.returncode == 0, done.all
    assert (folder / "ran.txt").read_text() == "[0.5, {1: 'one'}]"
