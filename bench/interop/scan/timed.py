"""Runs picklescan, then modelscan on a folder, and prints what bench/side.ts reads: versions, CPU time and memory of both."""

import importlib.metadata
import json
import pathlib
import platform
import resource
import subprocess
import sys


def say(**event):
    print(json.dumps(event), flush=True)


programs = pathlib.Path(sys.executable).parent
for name in ("picklescan", "modelscan"):
    ended = subprocess.run([programs / name, "--path", sys.argv[1]], capture_output=True)
    # modelscan leaves with 3 when nothing in the folder is of a format that it reads.
    if ended.returncode != 0:
        sys.exit(f"{name} left with {ended.returncode}: {ended.stderr[-500:]} {ended.stdout[-500:]}")
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
versions = {name: importlib.metadata.version(name) for name in ("picklescan", "modelscan")}
say(event="environment", versions={**versions, "python": platform.python_version()})
say(event="done", cpu=usage.ru_utime + usage.ru_stime, peakRssBytes=usage.ru_maxrss * 1024)
