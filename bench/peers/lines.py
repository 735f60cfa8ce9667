"""The JSON lines that both sides of a benchmark print on stdout; bench/side.ts reads them."""

import json
import platform
import resource
import sys
import time

import numpy
import torch


def line(event, **fields):
    """Prints one line: an `event` and its fields."""
    print(json.dumps({"event": event, **fields}), flush=True)


def environment(**fields):
    """Prints what ran: versions, threads, and the instruction set that PyTorch chose (None before 2.x)."""
    cpu = getattr(torch.backends, "cpu", None)
    versions = {"torch": torch.__version__, "numpy": numpy.__version__, "python": platform.python_version()}
    versions.update(fields.pop("versions", {}))
    capability = cpu.get_cpu_capability() if cpu else None
    line("environment", versions=versions, threads=torch.get_num_threads(), capability=capability, **fields)


def clock():
    """Wall and CPU seconds now; CPU is of all threads of this process."""
    return time.perf_counter(), time.process_time()


def done(**fields):
    """Prints the last line: the process' whole CPU time in seconds and its peak resident memory in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    line("done", cpu=time.process_time(), peakRssBytes=peak, **fields)
