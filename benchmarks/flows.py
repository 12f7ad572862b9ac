"""The flow files of the benchmarks: the same text runs on Headway and on Metaflow, MODULE being whose it is."""

LINEAR = """
from MODULE import FlowSpec, step


class LinearFlow(FlowSpec):
    @step
    def start(self):
        self.x = 1
        self.next(self.a)

    @step
    def a(self):
        self.x += 1
        self.next(self.b)

    @step
    def b(self):
        self.x += 1
        self.next(self.end)

    @step
    def end(self):
        assert self.x == 3


if __name__ == "__main__":
    LinearFlow()
"""

#: The same, its steps sent to the cluster in the file itself.
SENT = LINEAR.replace("import FlowSpec, step", "import FlowSpec, kubernetes, step").replace(
    "    @step", "    @kubernetes(cpu=1, memory=500)\n    @step"
)

FOREACH = """
from MODULE import FlowSpec, Parameter, step


class ForeachFlow(FlowSpec):
    width = Parameter("width", default=20)

    @step
    def start(self):
        self.items = list(range(self.width))
        self.next(self.work, foreach="items")

    @step
    def work(self):
        self.y = self.input * 2
        self.next(self.join)

    @step
    def join(self, inputs):
        self.total = sum(each.y for each in inputs)
        self.next(self.end)

    @step
    def end(self):
        assert self.total == self.width * (self.width - 1)


if __name__ == "__main__":
    ForeachFlow()
"""

#: 200 MB of float64 through the datastore; new values at each run, because equal ones are stored once.
ARRAY = """
import time

import numpy
from MODULE import FlowSpec, Parameter, step


class ArrayFlow(FlowSpec):
    length = Parameter("length", default=25_000_000)

    @step
    def start(self):
        self.array = numpy.random.default_rng(time.time_ns()).random(self.length)
        self.made = time.time()
        self.next(self.end)

    @step
    def end(self):
        begun = time.time()
        assert self.array.shape == (self.length,)
        self.loaded = time.time()
        self.load = self.loaded - begun


if __name__ == "__main__":
    ArrayFlow()
"""

#: The same from an image that has Python and nothing else, beside requests of the standard library
#: from the same pod: one stream up, one stream down, before what is measured and after it, so that neither
#: has the better place. What comes down goes into memory that is not written to before: no client is quicker.
POD_ARRAY = """
import array
import http.client
import os
import time
from urllib.parse import urlsplit

from MODULE import FlowSpec, Parameter, step


def request(method, url, body=None, size=0):
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=300)
    begun = time.time()
    connection.request(method, f"{parts.path}?{parts.query}", body=body)
    response = connection.getresponse()
    content = response.read()
    seconds = time.time() - begun
    assert response.status == 200, content
    assert len(content) == size
    connection.close()
    return seconds


class PodArrayFlow(FlowSpec):
    length = Parameter("length", default=25_000_000)
    put = Parameter("put", default="")
    put_again = Parameter("put_again", default="")
    get = Parameter("get", default="")

    @step
    def start(self):
        self.array = array.array("d")
        self.array.frombytes(os.urandom(8 * self.length))
        self.raw_stores = [request("PUT", self.put, memoryview(self.array).cast("B"))]
        self.made = time.time()
        self.next(self.end)

    @step
    def end(self):
        loads = [request("GET", self.get, size=8 * self.length)]
        begun = time.time()
        assert len(self.array) == self.length
        self.loaded = time.time()
        self.load = self.loaded - begun
        loads.append(request("GET", self.get, size=8 * self.length))
        stores = [*self.raw_stores, request("PUT", self.put_again, memoryview(self.array).cast("B"))]
        self.raw_store, self.raw_load = sum(stores) / 2, sum(loads) / 2
        self.array = None


if __name__ == "__main__":
    PodArrayFlow()
"""

#: A million small dicts, new ones at each run.
DICTS = """
import time

from MODULE import FlowSpec, Parameter, step


class DictsFlow(FlowSpec):
    count = Parameter("count", default=1_000_000)

    @step
    def start(self):
        salt = time.time_ns()
        self.rows = [{"id": salt + i, "name": f"row {i}", "value": i / 7} for i in range(self.count)]
        self.made = time.time()
        self.next(self.end)

    @step
    def end(self):
        begun = time.time()
        assert len(self.rows) == self.count
        self.loaded = time.time()
        self.load = self.loaded - begun


if __name__ == "__main__":
    DictsFlow()
"""

#: Not a flow: the same bytes up and down, with the library that Headway's launcher uses and nothing around it. Each way
#: as one request and as several side by side, which Headway's client makes, too: what counts is the better one.
RAW = """
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy
import obstore
from obstore.store import S3Store

bucket, prefix, length = sys.argv[1], sys.argv[2], int(sys.argv[3])
endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or "https://s3.amazonaws.com"
options = {"allow_http": endpoint.startswith("http://"), "timeout": "10m"}
store = S3Store(bucket, prefix=prefix, endpoint=endpoint, client_options=options)
array = numpy.random.default_rng(time.time_ns()).random(length)
content, quarter = memoryview(array).cast("B"), array.nbytes // 4


def put_in_parts():
    obstore.put(store, "in-parts", content, use_multipart=True, chunk_size=8 << 20)


def put_at_once():
    obstore.put(store, "at-once", content, use_multipart=False)


def get_in_ranges():
    starts = range(0, 4 * quarter, quarter)
    with ThreadPoolExecutor(4) as pool:
        return sum(len(part) for part in pool.map(get_range, starts))


def get_range(start):
    return obstore.get_range(store, "at-once", start=start, length=quarter)


def get_at_once():
    return len(obstore.get(store, "at-once").bytes())


found = {}
for work in (put_in_parts, put_at_once, get_in_ranges, get_at_once):
    begun = time.monotonic()
    size = work()
    found[work.__name__] = time.monotonic() - begun
    assert size in (None, array.nbytes)
store.delete(["in-parts", "at-once"])
found["store"] = min(found["put_in_parts"], found["put_at_once"])
found["load"] = min(found["get_in_ranges"], found["get_at_once"])
print(json.dumps(found))
"""

#: Not a flow: prints when the latest run of a flow above stored and loaded.
STAMPS = """
import json
import sys

from MODULE import Flow, namespace

namespace(None)
run = Flow(sys.argv[1]).latest_run
start, end = run["start"].task, run["end"].task
found = {
    "store": start.finished_at.timestamp() - start["made"].data,
    "load": end["load"].data,
    "both": end["loaded"].data - start["made"].data,
}
if "raw_load" in end:
    found["raw_store"], found["raw_load"] = end["raw_store"].data, end["raw_load"].data
print(json.dumps(found))
"""

#: Not a flow: reads one artifact of every task of a foreach.
READ = """
import json
import sys
import time

from MODULE import Run, namespace

namespace(None)
begun = time.monotonic()
run = Run(f"ForeachFlow/{sys.argv[1]}")
values = [task.data.y for task in run["work"]]
seconds = time.monotonic() - begun
assert sorted(values) == [2 * i for i in range(int(sys.argv[2]))], len(values)
print(json.dumps({"seconds": seconds}))
"""

#: Every pod says what its whole container used until shortly before its end: a process that the step
#: leaves behind goes on reading the container's counter, minus its own part, until the container ends.
CPU = r"""
import os
import time

from headway import FlowSpec, step

FILES = ("/sys/fs/cgroup/cpuacct/cpuacct.usage", "/sys/fs/cgroup/cpu.stat")


def used():
    for path in FILES:
        try:
            with open(path) as file:
                text = file.read()
        except OSError:
            continue
        words = text.split()
        return int(words[0]) / 1e9 if len(words) == 1 else int(words[1]) / 1e6
    raise SystemExit("this container has no counter of its processor time")


def watch():
    if os.fork():
        os.wait()
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    os.closerange(0, 256)
    log = os.open("/proc/1/fd/1", os.O_WRONLY)
    while True:
        own = os.times()
        os.write(log, b"container used %.6f\n" % (used() - own.user - own.system))
        time.sleep(0.005)


class CpuFlow(FlowSpec):
    @step
    def start(self):
        watch()
        self.x = 1
        self.next(self.end)

    @step
    def end(self):
        watch()
        assert self.x == 1


if __name__ == "__main__":
    CpuFlow()
"""

#: What the floor of that runs: an interpreter that does nothing but say what its container used.
CPU_FLOOR = """
for path in ("/sys/fs/cgroup/cpuacct/cpuacct.usage", "/sys/fs/cgroup/cpu.stat"):
    try:
        words = open(path).read().split()
    except OSError:
        continue
    print("container used", int(words[0]) / 1e9 if len(words) == 1 else int(words[1]) / 1e6)
    break
"""

#: A foreach on simulated nodes, whose pods begin and never end.
FLEET = """
from headway import FlowSpec, Parameter, kubernetes, step


class FleetFlow(FlowSpec):
    width = Parameter("width", default=1000)

    @step
    def start(self):
        self.items = list(range(self.width))
        self.next(self.work, foreach="items")

    @kubernetes(
        cpu=0.1,
        memory=64,
        node_selector={"pool": "fleet"},
        tolerations=[{"key": "fleet", "operator": "Exists"}],
        resources={"requests": {"ephemeral-storage": "0"}},
    )
    @step
    def work(self):
        self.next(self.join)

    @step
    def join(self, inputs):
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    FleetFlow()
"""

#: A wide foreach of which some tasks fail at first, always the same.
FAILING = """
import random

from headway import FlowSpec, Parameter, current, retry, step


class FailingFlow(FlowSpec):
    width = Parameter("width", default=10_000)
    failing = Parameter("failing", default=0.0)

    @step
    def start(self):
        self.items = list(range(self.width))
        self.next(self.work, foreach="items")

    @retry(times=1, minutes_between_retries=0)
    @step
    def work(self):
        if current.retry_count == 0 and random.Random(self.input).random() < self.failing:
            raise ValueError("bad luck")
        self.y = self.input * 2
        self.tries = current.retry_count + 1
        self.next(self.join)

    @step
    def join(self, inputs):
        self.total = self.tries = 0
        for each in inputs:
            self.total += each.y
            self.tries += each.tries
        self.next(self.end)

    @step
    def end(self):
        assert self.total == self.width * (self.width - 1), self.total
        bad = sum(random.Random(i).random() < self.failing for i in range(self.width))
        assert self.tries == self.width + bad, self.tries


if __name__ == "__main__":
    FailingFlow()
"""

_CONTAINER_BEGAN = """
import time


def container_began():
    with open("/proc/uptime") as uptime, open("/proc/1/stat") as stat:
        up, ticks = float(uptime.read().split()[0]), int(stat.read().rpartition(")")[2].split()[19])
    return time.time() - (up - ticks / 100)


"""

#: What a bare pod runs that tells when the process of its container began.
BARE_BEGAN = f"{_CONTAINER_BEGAN}print('container began', container_began())"

#: A foreach whose body is two steps.
BODIES = """
from headway import FlowSpec, Parameter, step


class BodiesFlow(FlowSpec):
    width = Parameter("width", default=500)

    @step
    def start(self):
        self.items = list(range(self.width))
        self.next(self.first, foreach="items")

    @step
    def first(self):
        self.y = self.input
        self.next(self.second)

    @step
    def second(self):
        self.y *= 2
        self.next(self.join)

    @step
    def join(self, inputs):
        self.total = sum(each.y for each in inputs)
        self.next(self.end)

    @step
    def end(self):
        assert self.total == self.width * (self.width - 1), self.total


if __name__ == "__main__":
    BodiesFlow()
"""

#: Each step keeps when the process of its container began, when its own code began, and when that ended.
TIMELINE = """CONTAINER_BEGAN
from headway import FlowSpec, step


class TimelineFlow(FlowSpec):
    @step
    def start(self):
        begun = time.time()
        self.times = {"container": container_began(), "code": begun, "over": time.time()}
        self.next(self.a)

    @step
    def a(self):
        begun = time.time()
        self.times = {"container": container_began(), "code": begun, "over": time.time()}
        self.next(self.b)

    @step
    def b(self):
        begun = time.time()
        self.times = {"container": container_began(), "code": begun, "over": time.time()}
        self.next(self.end)

    @step
    def end(self):
        begun = time.time()
        self.times = {"container": container_began(), "code": begun, "over": time.time()}


if __name__ == "__main__":
    TimelineFlow()
""".replace("CONTAINER_BEGAN", _CONTAINER_BEGAN)

#: Not a flow: prints those times, with when each task's pod called itself begun and its record was made.
TIMES = """
import json

from headway import Flow, namespace

namespace(None)
run = Flow("TimelineFlow").latest_run
found = {}
for name in ("start", "a", "b", "end"):
    task = run[name].task
    found[name] = {**task["times"].data, "record": task.finished_at.timestamp()}
print(json.dumps(found))
"""
