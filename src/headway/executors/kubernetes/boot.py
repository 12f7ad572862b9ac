"""Starts the in-pod runtime from the file that it stands at the head of: see archive.py.

Never imported: a pod executes it first of all, with that file open as ``file`` and nothing loaded but what
Python itself loads. It gives modules out of the file's own table, without a search, if the table is for this
Python; for any other one Python finds their sources in the zip that follows.
"""

import os

# Not signal: its enumerations take longer to make than all of this takes.
from _signal import SIGTERM, signal

# The first process of a container is deaf to SIGTERM until it has a handler: that comes before all else.
signal(SIGTERM, lambda *_: os._exit(75))

import gc  # noqa: E402
import sys  # noqa: E402
from _frozen_importlib import ModuleSpec  # noqa: E402
from _frozen_importlib_external import MAGIC_NUMBER  # noqa: E402
from marshal import loads  # noqa: E402

# Loading makes nothing that could be collected; pod.py turns it on again.
gc.disable()
file = globals()["file"]  # whoever executes this has opened it


class Table:
    """Finds and loads the modules of the table.

    Args:
        archive: The file's path.
        places: By module: whether it is a package, its source's name, where its code begins and how long it is.
        codes: All their code.
    """

    def __init__(self, archive, places, codes):
        self.archive = archive
        self._places = places
        self._codes = codes

    def find_spec(self, name, path=None, target=None):
        place = self._places.get(name)
        if place is None:
            return None
        origin = f"{self.archive}/{place[1]}"
        spec = ModuleSpec(name, self, origin=origin, is_package=place[0])
        spec.has_location = True
        if place[0]:
            spec.submodule_search_locations = [os.path.dirname(origin)]
        return spec

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(self.get_code(module.__name__), module.__dict__)

    def is_package(self, name):
        return self._places[name][0]

    def get_code(self, name):
        from zlib import decompress  # loaded by now, or about to be

        _, _, start, size = self._places[name]
        return loads(decompress(self._codes[start : start + size]))

    def get_source(self, name):
        from zipimport import zipimporter  # for tracebacks only

        return zipimporter(self.archive).get_data(self._places[name][1]).decode()


path = os.path.abspath(file.name)
sys.path[0] = path
if file.read(len(MAGIC_NUMBER)) == MAGIC_NUMBER:
    places = loads(file.read(int(file.readline())))
    sys.meta_path.insert(0, Table(path, places, file.read(sum(place[3] for place in places.values()))))
file.close()

if __name__ == "__main__":
    from headway.runtime.pod import main

    main()
