import os

from own_decorators import Extra, InPods, noted

from headway import Config, FlowSpec, IncludeFile, Parameter, config_expr, environment, step


@Extra
class ConfiguredFlow(FlowSpec):
    cfg = Config("cfg", default="cfg.yaml", parser=".yaml_parser")
    text = IncludeFile("text", default="text.txt")
    raw = IncludeFile("raw", is_text=False)
    doc = IncludeFile("doc", default="doc.json", parser="json.loads")
    none = IncludeFile("none")
    alpha = Parameter("alpha", default=cfg.model.depth)

    @InPods(**cfg.pod)
    @environment(vars={"DEPTH": config_expr("str(cfg.model.depth)")})
    @noted(label=cfg.model.name)
    @step
    def start(self):
        assert "HEADWAY_POD_NAME" in os.environ
        self.seen = (self.cfg.model.depth, os.environ["DEPTH"], self.alpha, self.extra)
        self.files = (self.text, list(self.raw), self.doc, self.none)
        self.mode = "fast"
        self.next({self.cfg.modes.fast: self.fails, self.cfg.modes.slow: self.never}, condition="mode")

    @InPods(**cfg.pod)
    @noted
    @step
    def fails(self):
        self.before = self.noted
        raise ValueError("boo")
        self.next(self.fan)

    @step
    def never(self):
        self.next(self.fan)

    @step
    def fan(self):
        self.items = [1, 2]
        self.next(self.each, foreach="items")

    @InPods(**cfg.pod)
    @step
    def each(self):
        self.got = [self.input, self.cfg.model.name, self.extra]
        self.next(self.join)

    @step
    def join(self, inputs):
        self.got = [each.got for each in inputs]
        self.merge_artifacts(inputs, include=["caught", "before", "seen", "files"])
        self.next(self.end)

    @step
    def end(self):
        try:
            self.cfg.model.depth = 5
        except TypeError as error:
            self.refused = str(error)


if __name__ == "__main__":
    ConfiguredFlow()
