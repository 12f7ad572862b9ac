from headway import Flow, FlowSpec, Parameter, Runner, current, kubernetes, namespace, step


class ReaderFlow(FlowSpec):
    """A pod that looks at its own run, and leaves what it saw for others."""

    word = Parameter("word", default="x")

    @kubernetes
    @step
    def start(self):
        run = current.run
        run.add_tag("from-a-pod")
        self.me = current.task
        self.saw = {
            "tags": sorted(run.user_tags),
            "task": current.task.pathspec,
            "finished": current.task.finished,
            "word": run["_parameters"].task.data.word,
            "latest": Flow("ReaderFlow").latest_run.id == current.run_id,
        }
        try:
            Runner("reader.py")
        except Exception as error:
            self.saw["runner"] = str(error).splitlines()[0]
        namespace(None)
        print("token=abc")
        self.next(self.end)

    @step
    def end(self):
        # A task that was pickled in a pod is read on another machine.
        self.read_back = (self.me.pathspec, self.me.data.saw["word"], self.me.successful)


if __name__ == "__main__":
    ReaderFlow()
