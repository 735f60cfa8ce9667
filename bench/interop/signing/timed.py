"""Runs the command line of model-signing and prints what bench/side.ts reads: versions before, CPU time and memory after."""

import json
import platform
import resource
import sys


def say(**event):
    print(json.dumps(event), flush=True)


status = 0
try:
    import model_signing
    from model_signing._cli import main

    main()
except SystemExit as left:
    status = left.code
usage = resource.getrusage(resource.RUSAGE_SELF)
say(event="environment", versions={"model-signing": model_signing.__version__, "python": platform.python_version()})
say(event="done", cpu=usage.ru_utime + usage.ru_stime, peakRssBytes=usage.ru_maxrss * 1024)
sys.exit(status)
