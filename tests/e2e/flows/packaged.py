"""Packages that the image does not have: a small one for all steps, numpy for one, none for the last."""

from headway import FlowSpec, kubernetes, pypi, pypi_base, step


@pypi_base(packages={"iniconfig": "2.0.0"})
class PackagedFlow(FlowSpec):
    @step
    def start(self):
        import iniconfig

        print("start has iniconfig of", iniconfig.__file__)
        self.next(self.train)

    @pypi(packages={"numpy": ">=2"})
    @kubernetes(memory=150)
    @step
    def train(self):
        import iniconfig
        import numpy as np

        self.total = int(np.arange(10).sum())
        print("train has numpy", np.__version__ >= "2", iniconfig.__name__, np.__file__)
        self.next(self.end)

    @pypi(disabled=True)
    @step
    def end(self):
        try:
            import numpy as np
        except ImportError:
            print("end has no numpy, total", self.total)
        else:
            print(f"end has numpy of {np.__file__}, total", self.total)


if __name__ == "__main__":
    PackagedFlow()
