"""A pipeline of functions: a diamond, a loop over a parameter, outputs of which only some are used."""

import os
from pathlib import Path
from typing import Annotated

from headway import KubernetesStepOperatorSettings, current, kubernetes, pipeline, retry, step

BROKEN = False
IN_PODS = KubernetesStepOperatorSettings(pod_settings={"labels": {"of": "a-pipeline"}})


class Table:
    """Of the main file, so that it has to be found again wherever it is read."""

    def __init__(self, rows):
        self.rows = rows


@step
def load(rows: int, scale: float = 1.0) -> Annotated[Table, "table"]:
    print("loads", rows, "rows on", where())
    return Table([scale * number for number in range(rows)])


@step(step_operator="kubernetes", settings={"step_operator": IN_PODS})
def train(table: Table, power: int) -> tuple[Annotated[float, "score"], Annotated[str, "place"]]:
    print("trains on", where(), "as", current.pathspec)
    return sum(row**power for row in table.rows), where()


@kubernetes
@retry(times=1, minutes_between_retries=0)
@step
def shaky(table: Table) -> Annotated[int, "tries"]:
    if not current.retry_count:
        raise RuntimeError("the first time never works")
    return current.retry_count


@step
def compare(scores: list, tries: int, title: str = "all") -> Annotated[dict, "result"]:
    if BROKEN:
        raise ValueError("comparing is broken")
    print("compares", title, scores)
    return {"best": max(scores), "tries": tries, "of": len(scores)}


@step
def tell(result: dict) -> None:
    print("the best is", result["best"])


def where():
    return "a pod" if "KUBERNETES_SERVICE_HOST" in os.environ else "the launcher's machine"


@pipeline(tags=["by-functions"])
def training(rows: int = 4, powers: list = (1, 2, 3)):
    """Trains several times on one table."""
    table = load(rows, scale=2.0)
    scores = [train(table, power)[0] for power in powers]
    result = compare(scores, shaky(table))
    tell(result)


if __name__ == "__main__":
    run = training(rows=5)
    Path("ran.txt").write_text(f"{run.pathspec} {run.successful} {run['compare'].task.data.result['best']}")
