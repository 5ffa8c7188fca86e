"""What the figures were measured on: processor, GPU, versions, commit."""

import os
import pathlib
import platform
import subprocess
import sys
from importlib import metadata

# From a checkout, tasks is not installed.
sys.path.append(str(pathlib.Path(__file__).parents[1]))

from tasks.records.versions import commit

PACKAGES = ["keras", "keras-nightly", "tensorflow", "jax", "torch", "numpy"]


def machine():
    """Processor, commit, versions of what is installed and, where there is one, GPU."""
    return {
        "processor": processor(),
        "commit": commit() or "",
        "python": platform.python_version(),
        **versions(),
        **gpu(),
    }


def versions():
    """`{package: version}` of those of `PACKAGES` that are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def gpu():
    """Name, driver and memory of the first GPU that is not hidden, or nothing."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return {}
    query = "--query-gpu=name,driver_version,memory.total"
    found = _output("nvidia-smi", query, "--format=csv,noheader").splitlines()
    if not found:
        return {}
    name, driver, memory = (part.strip() for part in found[0].split(","))
    return {"gpu": name, "driver": driver, "gpu_memory": memory}


def processor():
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [x.split(":")[1].strip() for x in lines if x.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.processor()


def _output(*command):
    """What a program prints; nothing if it is not there or fails."""
    folder = pathlib.Path(__file__).parent
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
