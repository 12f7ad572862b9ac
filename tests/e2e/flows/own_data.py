import os
from pathlib import Path

from headway import S3, FlowSpec, current, step


class OwnDataFlow(FlowSpec):
    """Keeps data of its own in S3 beside its artifacts."""

    @step
    def start(self):
        Path("file").write_text("from a file")
        self.workers = os.environ.get("HEADWAY_S3_WORKER_COUNT")
        with S3(run=self) as s3:
            self.url = s3.put("one", "first", metadata={"rows": 3})
            self.stored = [key for key, _ in s3.put_many([(f"many/{n}", str(n)) for n in range(20)])]
            self.stored += [key for key, _ in s3.put_files([("file", "file")])]
        self.next(self.end)

    @step
    def end(self):
        with S3(run=self) as s3:
            one = s3.get("one")
            self.one = [one.text, one.metadata, one.key]
            self.many = [found.text for found in s3.get_many(self.stored)]
            self.everything = len(s3.get_all())
            kept = one.path
        self.gone = not Path(kept).exists()
        self.tempdir = current.get("tempdir")
        with S3() as s3:
            self.again = s3.get(self.url).text
        print("temporary file in", kept)


if __name__ == "__main__":
    OwnDataFlow()
