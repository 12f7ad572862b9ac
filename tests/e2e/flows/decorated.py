import os
import sys

from headway import FlowSpec, catch, current, exit_hook, kubernetes, project, secrets, step


def say(run):
    print("hook:", run.pathspec, run.successful)


@exit_hook(on_success=[say])
@project(name="fraud")
class DecoratedFlow(FlowSpec):
    @step
    def start(self):
        self.ways = ["fine", "raise", "exit", "memory"]
        self.next(self.body, foreach="ways")

    @catch(var="failed")
    @secrets(sources=[{"type": "inline", "id": "test", "options": {"env_vars": {"TOKEN": "hunter2"}}}])
    @kubernetes(qos="Guaranteed", memory=64, cpu=0.3)
    @step
    def body(self):
        self.way = self.input
        self.token = len(os.environ["TOKEN"])
        self.place = (
            current.project_name,
            current.branch_name,
            current.is_user_branch,
            current.project_flow_name,
        )
        if self.way == "raise":
            raise ValueError("no good")
        if self.way == "exit":
            sys.exit(3)
        if self.way == "memory":
            hoard = []
            while len(hoard) < 1000:
                hoard.append(b"x" * 1_000_000)
        self.next(self.join)

    @step
    def join(self, inputs):
        print("places", {each.place for each in inputs[:2]})
        print("tokens", [each.token for each in inputs[:2]])
        for each in inputs:
            failed = each.failed
            print("failed", failed and (failed.type, failed.reason, failed.exception))
        assert "ValueError: no good" in inputs[1].failed.stacktrace
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    DecoratedFlow()
