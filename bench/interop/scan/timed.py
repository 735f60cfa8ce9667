"""Runs picklescan, then modelscan on a folder, and prints what bench/side.ts reads: versions, CPU time and memory of both, and what each left unread.

Both as strictly as they go: picklescan with --strict (what it does not know is dangerous), modelscan with the list of what it skipped. Neither has an
option that makes an unread file a failure, so it is counted here.
"""

import importlib.metadata
import json
import pathlib
import platform
import re
import resource
import subprocess
import sys
import tempfile


def say(**event):
    print(json.dumps(event), flush=True)


programs = pathlib.Path(sys.executable).parent
folder = pathlib.Path(sys.argv[1])


def run(name, *options):
    ended = subprocess.run([programs / name, "--path", folder, *options], capture_output=True)
    # modelscan leaves with 3 when nothing in the folder is of a format that it reads.
    if ended.returncode != 0:
        sys.exit(f"{name} left with {ended.returncode}: {ended.stderr[-500:]} {ended.stdout[-500:]}")
    return ended.stdout.decode()


with tempfile.TemporaryDirectory() as scratch:
    report = pathlib.Path(scratch) / "modelscan.json"
    printed = run("picklescan", "--strict")
    run("modelscan", "--show-skipped", "--reporting-format", "json", "--output-file", report)
    # Members of archives stand behind a colon.
    read = {name.split(":")[0] for name in json.loads(report.read_text())["summary"]["scanned"]["scanned_files"]}
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
files = sum(path.is_file() for path in folder.rglob("*"))
looked = {"picklescan": int(re.search(r"Scanned files: (\d+)", printed)[1]), "modelscan": len(read)}
versions = {name: importlib.metadata.version(name) for name in looked}
say(event="environment", versions={**versions, "python": platform.python_version()}, files=files, read=looked)
say(event="done", cpu=usage.ru_utime + usage.ru_stime, peakRssBytes=usage.ru_maxrss * 1024)
