"""Holds Glacis's pickle machine against CPython's two unpicklers: `python cpython.py streams.jsonl`.

Imports are recorded and give a stand-in that takes every call, so nothing runs. The machine may go on where CPython stops
(it does not know what a call returns), but every name that CPython imports has to be among the machine's, in that order, and
where CPython comes to the end, so has the machine.
"""

import base64
import io
import json
import pickle
import sys


class Anything:
    """Takes every call, every attribute, every item."""

    def __new__(cls, *args, **kwargs):
        return object.__new__(cls)

    def __init__(self, *args, **kwargs):
        pass

    def __call__(self, *args, **kwargs):
        return Anything()

    def append(self, item):
        pass

    def extend(self, items):
        pass

    def add(self, item):
        pass

    def __setitem__(self, key, value):
        pass

    def __setstate__(self, state):
        pass

    def __hash__(self):
        return 1


def loader(base):
    class Loader(base):
        def find_class(self, module, name):
            self.names.append(f"{module}:{name}")
            return Anything

    return Loader


differences = runs = ends = imports = 0
for line in open(sys.argv[1]):
    case = json.loads(line)
    stream = base64.b64decode(case["stream"])
    for base in (pickle.Unpickler, pickle._Unpickler):
        load = loader(base)(io.BytesIO(stream), fix_imports=False)
        load.names = []
        try:
            load.load()
            ended = True
        except Exception:
            ended = False
        names = [name.replace("__builtin__", "builtins") for name in load.names]
        mine = [name.replace("__builtin__", "builtins") for name in case["names"]]
        runs += 1
        ends += ended
        imports += len(names)
        if mine[: len(names)] != names or (ended and not case["stopped"]):
            differences += 1
            if differences <= 10:
                print(base.__name__, "ended" if ended else "broke", names, mine, case["stopped"], stream)
print(f"{runs} runs, {ends} to the end, {imports} imports, {differences} differences")
sys.exit(differences > 0)
