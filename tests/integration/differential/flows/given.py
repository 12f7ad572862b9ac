"""Parameters of any type, configurations asked for what may not be there, and what mutators see."""

import json
import os
import pathlib

from metaflow import Config, FlowSpec, Parameter, StepMutator, environment, resources, retry, step, timeout


class Shows(StepMutator):
    """Leaves what it sees of the step's decorators where the step can read it."""

    def mutate(self, mutable_step):
        seen = {
            name: kwargs
            for name, _, _, kwargs in mutable_step.decorator_specs
            if name in ("resources", "retry")
        }
        wanted = {
            "resources": ("cpu", "memory", "gpu", "shared_memory"),
            "retry": ("times", "minutes_between_retries"),
        }
        shown = {name: {key: seen[name][key] for key in keys} for name, keys in wanted.items()}
        ((_, _, _, limits),) = mutable_step.get_decorator_specs("timeout")
        shown["timeout"] = limits
        mutable_step.remove_decorator("timeout", [], limits)
        shown["removed"] = not mutable_step.has_decorator("timeout")
        doubled = {**seen["resources"], "cpu": int(seen["resources"]["cpu"]) * 2}
        mutable_step.remove_decorator("resources")
        mutable_step.add_decorator(resources, deco_kwargs=doubled)
        ((_, _, _, again),) = mutable_step.get_decorator_specs("resources")
        shown["again"] = {"cpu": again["cpu"], "memory": again["memory"]}
        mutable_step.add_decorator(environment, deco_kwargs={"vars": {"SHOWN": json.dumps(shown)}})


class Given(FlowSpec):
    cfg = Config("cfg", default_value={"cpu": 2, "deep": {"x": 1}, "name": "n"})
    rows = Parameter("rows", type=int, default=1e6)
    half = Parameter("half", type=float, default=1)
    place = Parameter("place", type=pathlib.Path, default="/tmp")
    many = Parameter("many", type=json.loads, default="[1, 2]")
    parts = Parameter("parts", type=lambda text: text.split("-"), default="a-b")
    from_config = Parameter("from-config", default=cfg.get("cpu", 7))

    @Shows
    @resources(memory=8000)
    @retry(times=1)
    @timeout(minutes=5)
    @step
    def start(self):
        self.shown = json.loads(os.environ["SHOWN"])
        self.next(self.told)

    @environment(
        vars={"NAME": cfg.get("name", "else"), "DEEP": cfg.deep.get("x", 5), "ALL": cfg.get("deep").x}
    )
    @step
    def told(self):
        self.environment = [os.environ[name] for name in ("NAME", "DEEP", "ALL")]
        self.inside = [self.cfg.get("cpu", 1), self.cfg.get("cpus", 1)]
        self.next(self.end)

    @step
    def end(self):
        self.values = [
            [type(self.rows).__name__, self.rows],
            [type(self.half).__name__, self.half],
            str(self.place),
            self.many,
            self.parts,
            self.from_config,
        ]


if __name__ == "__main__":
    Given()
