"""Which model reads handwritten digits best?

Trains several models with several settings, each as a task of its own, keeps the one with the best
cross-validation score, and draws how well it does. The data are the 1,797 digits of the UCI
repository that scikit-learn ships: nothing is downloaded.

    python examples/digits.py run                            # the training steps as pods
    python examples/digits.py run --with kubernetes          # every step as a pod
    python examples/digits.py run --folds 10 --out results

The pods need an image with scikit-learn: name it with HEADWAY_KUBERNETES_CONTAINER_IMAGE.
"""

import base64
import html
import io
from pathlib import Path

from headway import FlowSpec, Parameter, kubernetes, retry, step

CANDIDATES = [
    {"model": "nearest neighbours", "settings": {"n_neighbors": 1}},
    {"model": "nearest neighbours", "settings": {"n_neighbors": 5}},
    {"model": "support vectors", "settings": {"C": 1.0, "gamma": 0.001}},
    {"model": "support vectors", "settings": {"C": 10.0, "gamma": 0.0005}},
    {"model": "random forest", "settings": {"n_estimators": 100, "random_state": 0}},
    {"model": "logistic regression", "settings": {"C": 0.05, "max_iter": 2000}},
]


class DigitsFlow(FlowSpec):
    """Train models on handwritten digits, each in a pod, and report on the best."""

    folds = Parameter("folds", default=5, help="folds of the cross-validation")
    out = Parameter("out", default="digits-report", help="folder for the picture and the report")

    @step
    def start(self):
        """Load the digits and set some aside that no model sees before the end."""
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split

        digits = load_digits()
        self.train_x, self.test_x, self.train_y, self.test_y = train_test_split(
            digits.data, digits.target, test_size=0.25, stratify=digits.target, random_state=0
        )
        print(f"{len(self.train_y)} digits to learn from, {len(self.test_y)} set aside")
        self.candidates = CANDIDATES
        self.next(self.train, foreach="candidates")

    @retry(times=1)
    @kubernetes(cpu=0.25, memory=500, disk=200)
    @step
    def train(self):
        """Score one model with one setting by cross-validation, then fit it on all that may be learnt from."""
        from sklearn.model_selection import cross_val_score

        self.candidate = self.input
        self.title = f"{self.candidate['model']}, " + ", ".join(
            f"{name}={value}" for name, value in self.candidate["settings"].items()
        )
        estimator = make_estimator(self.candidate)
        scores = cross_val_score(estimator, self.train_x, self.train_y, cv=self.folds)
        self.score, self.spread = float(scores.mean()), float(scores.std())
        self.estimator = estimator.fit(self.train_x, self.train_y)
        print(f"{self.title}: {self.score:.4f} ± {self.spread:.4f}")
        self.next(self.choose)

    @step
    def choose(self, inputs):
        """Keep the best; its rivals stay where they are, and only their scores are loaded."""
        best = max(inputs, key=lambda candidate: candidate.score)
        self.table = sorted(((each.score, each.spread, each.title) for each in inputs), reverse=True)
        self.title, self.score, self.estimator = best.title, best.score, best.estimator
        self.test_x, self.test_y = best.test_x, best.test_y
        print(f"best: {self.title} ({self.score:.4f} in cross-validation)")
        self.next(self.end)

    @step
    def end(self):
        """Test the best on the digits set aside; save a picture and a report."""
        from sklearn.metrics import confusion_matrix

        predicted = self.estimator.predict(self.test_x)
        self.accuracy = float((predicted == self.test_y).mean())
        self.confusion = confusion_matrix(self.test_y, predicted)
        self.picture = draw(self.confusion, self.table)
        folder = Path(self.out)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "digits.png").write_bytes(self.picture)
        (folder / "report.html").write_text(report(self), encoding="utf-8")
        print(f"{self.title} reads {self.accuracy:.1%} of {len(self.test_y)} unseen digits")
        print(f"picture: {(folder / 'digits.png').resolve()}")
        print(f"report:  {(folder / 'report.html').resolve()}")


def make_estimator(candidate):
    """The scikit-learn estimator of a candidate."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    settings = candidate["settings"]
    if candidate["model"] == "logistic regression":
        return make_pipeline(StandardScaler(), LogisticRegression(**settings))
    kinds = {
        "nearest neighbours": KNeighborsClassifier,
        "support vectors": SVC,
        "random forest": RandomForestClassifier,
    }
    return kinds[candidate["model"]](**settings)


def draw(confusion, table):
    """A PNG: the confusion matrix of the best model, and the scores of all."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(
        1, 2, figsize=(12, 5), width_ratios=(1, 1.1), layout="constrained"
    )
    left.imshow(confusion, cmap="Blues")
    left.set(title="Digits set aside: which is taken for which", xlabel="read as", ylabel="is")
    left.set_xticks(range(10))
    left.set_yticks(range(10))
    for row, counts in enumerate(confusion):
        for column, count in enumerate(counts):
            if count:
                shade = "white" if count > confusion.max() / 2 else "black"
                left.text(column, row, count, ha="center", va="center", color=shade, fontsize=9)
    scores, spreads, titles = zip(*reversed(table), strict=True)
    right.errorbar(scores, titles, xerr=spreads, fmt="o", color="#2c5d8f", ecolor="#8fb1d3", capsize=4)
    right.set(title="Cross-validation score, ± one standard deviation", ylim=(-0.5, len(titles) - 0.5))
    right.grid(axis="x", color="#dddddd")
    right.tick_params(axis="y", labelsize=8)
    right.spines[["top", "right"]].set_visible(False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    pyplot.close(figure)
    return buffer.getvalue()


def report(flow):
    """The report as one HTML page."""
    rows = "".join(
        f"<tr><td>{html.escape(title)}</td><td>{score:.4f}</td><td>±{spread:.4f}</td></tr>"
        for score, spread, title in flow.table
    )
    picture = base64.b64encode(flow.picture).decode()
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Handwritten digits</title>
<style>
  body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }}
  table {{ border-collapse: collapse }} td, th {{ padding: .3rem 1rem .3rem 0; text-align: left }}
  tr:nth-child(2) {{ font-weight: bold }} img {{ max-width: 100% }}
</style>
<h1>Handwritten digits</h1>
<p><b>{html.escape(flow.title)}</b> has the best cross-validation score ({flow.score:.4f})
and reads {flow.accuracy:.1%} of {len(flow.test_y)} digits that no model had seen.</p>
<img alt="Confusion matrix and scores" src="data:image/png;base64,{picture}">
<table><tr><th>model</th><th>score</th><th>spread</th></tr>{rows}</table>
</html>
"""


if __name__ == "__main__":
    DigitsFlow()
