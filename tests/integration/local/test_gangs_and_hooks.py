"""Gangs, what mutators make of a flow, projects, and hooks at the exit, on this machine."""

from flow_machine import Machine

from headway.store import layout
from headway.store.records import AttemptRef
from headway.store.run_records import RunRecord

GANGS = """
import os, socket, time
from headway import FlowSpec, current, parallel, pytorch_parallel, retry, step

class Sample(FlowSpec):
    @step
    def start(self):
        self.next(self.train, num_parallel=3)

    @retry(times=1)
    @parallel
    @step
    def train(self):
        where = current.parallel
        rank, self.index_seen = where.node_index, self.input
        assert current.is_parallel and where.main_ip == os.environ["MASTER_ADDR"] == "127.0.0.1"
        assert (os.environ["RANK"], os.environ["WORLD_SIZE"]) == (str(rank), "3")
        if current.retry_count == 0 and rank == 1:
            raise ValueError("no good")
        if current.retry_count == 0:
            time.sleep(60)
        address = (where.main_ip, int(os.environ["MASTER_PORT"]))
        if rank == 0:
            with socket.create_server(address) as server:
                others = [server.accept()[0] for _ in range(where.num_nodes - 1)]
            self.total = sum(int.from_bytes(other.recv(4), "big") for other in others)
            for other in others:
                other.sendall(self.total.to_bytes(4, "big"))
        else:
            while True:
                try:
                    other = socket.create_connection(address, 1)
                    break
                except ConnectionRefusedError:
                    time.sleep(0.01)
            other.sendall((10 ** rank).to_bytes(4, "big"))
            self.total = int.from_bytes(other.recv(4), "big")
        self.next(self.join)

    @step
    def join(self, inputs):
        self.totals = [each.total for each in inputs]
        self.order = [each.index_seen for each in inputs]
        self.next(self.plain)

    @pytorch_parallel(num_nodes=2)
    @step
    def plain(self):
        self.told = (current.task_id, current.parallel.control_task_id, os.environ["NODE_RANK"])
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == "__main__":
    Sample()
"""


def test_gangs(machine: Machine) -> None:
    (machine.folder / "flow.py").write_text(GANGS)
    done = machine.run("flow.py", "run", "--max-workers", "1")
    assert done.returncode == 0, done.stderr
    assert "[train/2_node_1] Task failed: ValueError: no good" in done.stderr
    assert "[train/2_node_1] The first of 3 ranks to fail; all are tried again now" in done.stderr
    assert "Foreach yields" not in done.stdout
    assert machine.value(AttemptRef("join", "3", 0), "totals") == [110] * 3
    assert machine.value(AttemptRef("join", "3", 0), "order") == [0, 1, 2]
    assert machine.value(AttemptRef("plain", "4_node_1", 0), "told") == ("4_node_1", "4", "1")
    assert machine.value(AttemptRef("end", "5", 0), "told") == ("4", "4", "0")
    (run,) = machine.runs
    code = (
        "from headway import Step, namespace; namespace(None)\n"
        f"train, start = Step('Sample/{run}/train'), Step('Sample/{run}/start')\n"
        "control = train.control_task\n"
        "print(control.id, [t.id for t in train.control_tasks()], start.control_task)\n"
        "print(control.metadata_dict['internal_task_type'], control.metadata_dict['parallel-world-size'])\n"
    )
    assert machine.run("-c", code).stdout.splitlines() == ["2 ['2'] None", "control_task 3"]


CAUGHT_GANGS = """
import os, signal, time
from headway import FlowSpec, catch, current, parallel, retry, step

class Sample(FlowSpec):
    @step
    def start(self):
        self.next(self.train, num_parallel=3)

    @catch(var="failed", print_exception=False)
    @retry(times=1, minutes_between_retries=0)
    @parallel
    @step
    def train(self):
        self.rank = current.parallel.node_index
        if self.rank == 2:
            raise ValueError("no good")
        time.sleep(60)
        self.next(self.join)

    @step
    def join(self, inputs):
        self.seen = [(each.failed.type, each.failed.exception, hasattr(each, "rank")) for each in inputs]
        self.next(self.killed)

    @catch(var="failed", print_exception=False)
    @parallel(num_nodes=2)
    @step
    def killed(self):
        if current.parallel.node_index:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)
        self.next(self.end)

    @step
    def end(self):
        self.why = self.failed.exception

if __name__ == "__main__":
    Sample()
"""


def test_gangs_are_caught_as_a_whole(machine: Machine) -> None:
    (machine.folder / "flow.py").write_text(CAUGHT_GANGS)
    done = machine.run("flow.py", "run")
    assert done.returncode == 0, done.stderr
    assert "[train/2_node_2] @catch takes over: the run goes on." in done.stderr
    seen = machine.value(AttemptRef("join", "3", 0), "seen")
    assert seen == [("builtins.ValueError", "no good", False)] * 3, (
        "on every rank, what the first of them raised"
    )
    assert "failed for good after 1 attempt" in machine.value(AttemptRef("end", "5", 0), "why")
    (run,) = machine.runs
    code = (
        "from headway import Step, namespace; namespace(None)\n"
        f"train = list(Step('Sample/{run}/train'))\n"
        "print(sorted(t.id for t in train), {t.successful for t in train}, {t.current_attempt for t in train})\n"
    )
    assert machine.run("-c", code).stdout == "['2', '2_node_1', '2_node_2'] {False} {2}\n"


MUTATED = """
from headway import FlowMutator, FlowSpec, StepMutator, current, step

class Many(StepMutator):
    def mutate(self, step):
        step.add_decorator("parallel")

class InProject(FlowMutator):
    def pre_mutate(self, flow):
        flow.add_decorator("project:name=fraud")

@InProject
class Sample(FlowSpec):
    @step
    def start(self):
        self.next(self.train, num_parallel=2)

    @Many
    @step
    def train(self):
        self.rank = current.parallel.node_index
        self.next(self.join)

    @step
    def join(self, inputs):
        print("ranks", [each.rank for each in inputs], current.branch_name)
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == "__main__":
    Sample()
"""


def test_a_gang_and_a_project_that_mutators_make(machine: Machine) -> None:
    (machine.folder / "flow.py").write_text(MUTATED)
    done = machine.run("flow.py", "run", "--branch", "b")
    assert done.returncode == 0, done.stderr
    assert "ranks [0, 1] test.b" in done.stdout


HOOKED = """
from headway import FlowSpec, current, exit_hook, project, step

def done(run):
    print("hook of", run.pathspec, run.successful, run["end"].task.data.branch)

def sorry():
    raise SystemExit("the hook of a failure")

@exit_hook(on_success=[done, "nowhere.to.be.found"], on_error=["sorry"])
@project(name="fraud")
class Sample(FlowSpec):
    @step
    def start(self):
        self.branch = current.branch_name
        self.all = (current.project_name, current.is_user_branch, current.is_production)
        print(current.project_flow_name, self.all)
        assert not current.is_production
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == "__main__":
    Sample()
"""


def test_a_project_and_hooks_at_the_exit(machine: Machine) -> None:
    (machine.folder / "flow.py").write_text(HOOKED)
    done = machine.run("flow.py", "run", "--branch=exp")
    assert done.returncode == 0, done.stderr
    assert "[start/1] fraud.test.exp.Sample ('fraud', False, False)" in done.stdout
    assert f"hook of Sample/{machine.runs[0]} True test.exp" in done.stdout
    assert "The exit hook done is done." in done.stderr
    assert "The exit hook nowhere.to.be.found failed with exit code 1." in done.stderr
    tags = RunRecord.decode(machine.store.get(layout.run_record("Sample", machine.runs[0]))).system_tags
    assert {"project:fraud", "project_branch:test.exp"} <= set(tags)


def test_production_by_a_variable_and_the_hook_of_a_failure(machine: Machine) -> None:
    (machine.folder / "flow.py").write_text(HOOKED)
    machine.environ["METAFLOW_FLOW_PRODUCTION"] = "1"
    done = machine.run("flow.py", "run")
    assert done.returncode == 1
    assert "Project: fraud, branch: prod" in done.stderr
    assert "the hook of a failure" in done.stderr
    assert "The exit hook sorry failed with exit code 1." in done.stderr
