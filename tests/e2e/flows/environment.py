import os

from headway import FlowSpec, environment, kubernetes, step


class EnvironmentFlow(FlowSpec):
    """What a pod's code finds in its environment, by every way there is to put it there."""

    @kubernetes(secrets=["extra"], env={"FROM_DECORATOR": "one, two $HOME"})
    @environment(vars={"FROM_ENVIRONMENT": "three"})
    @step
    def start(self):
        names = ("FROM_DECORATOR", "FROM_ENVIRONMENT", "FROM_SECRET", "METAFLOW_KUBERNETES_POD_NAME")
        self.found = {name: os.environ.get(name) for name in names}
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    EnvironmentFlow()
