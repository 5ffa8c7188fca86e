"""Processes of JAX that train together, and one of as many devices.

    PYTHONPATH=.:tests python tests/helpers/several_processes.py FOLDER

They are forked once all is imported, which saves the time of importing it in each. Of
four devices in all, two processes have two each; HOSTS=4 tries four. What one found is
`CASE-PROCESS.json` in the folder, what it said `CASE-PROCESS.log`.
"""

import gc
import json
import os
import pathlib
import signal
import socket
import sys
import traceback

if __name__ == "__main__":
    import conftest  # noqa: F401  sets the environment

import keras

from helpers import several_devices
from helpers.several_devices import batches
from helpers.several_devices import made
from helpers.several_devices import message
from helpers.several_devices import run_task
from keras_m2m import ExactResume

HOSTS = int(os.environ.get("HOSTS", 2))
_SECONDS = 200  # In which one ends: those that wait for it would do so for ever.


def killed(folder, process, port):
    """A run of which process 1 is killed after the first epoch of M2m."""
    os.environ |= {
        "SLURM_JOB_ID": "1",
        "SLURM_STEP_NODELIST": "localhost",
        "SLURM_NTASKS": f"{HOSTS}",
        "SLURM_PROCID": f"{process}",
        "SLURM_LOCALID": f"{process}",
        "JAX_COORDINATOR_PORT": f"{port}",
    }
    save = ExactResume.on_epoch_end

    def end(self, epoch, logs=None):
        save(self, epoch, logs)
        if process == 1 and self.training.startswith("m2m") and epoch == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    ExactResume.on_epoch_end = end
    run_task(folder / f"of process {process}", distribute=True)


def gone_on(folder, process, port):
    """A training by hand, and then the run that was killed, with the same command."""
    os.environ |= {
        "KERAS_DISTRIBUTION_JOB_ADDRESSES": f"127.0.0.1:{port}",
        "KERAS_DISTRIBUTION_NUM_PROCESSES": f"{HOSTS}",
        "KERAS_DISTRIBUTION_PROCESS_ID": f"{process}",
    }
    keras.utils.set_random_seed(0)
    keras.distribution.initialize()
    distribution = keras.distribution.DataParallel(auto_shard_dataset=False)
    with distribution.scope():
        shard = (distribution.data_shard_id, distribution.num_processes)
        model = made()
        found = {"whole batches": message(model.fit, **batches().fit_arguments)}
        found |= several_devices.fitted(model, batches(shard=shard))
    found["task"] = run_task(folder / f"of process {process}", distribute=True)
    return found


def statuses(case, folder):
    """How processes ended that ran a case together."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    children = [_forked(case, folder, process, port) for process in range(HOSTS)]
    ended = (os.waitpid(child, 0)[1] for child in children)
    return [os.waitstatus_to_exitcode(status) for status in ended]


def _forked(case, folder, process, port):
    child = os.fork()
    if child:
        return child
    signal.alarm(_SECONDS)
    path = folder / f"{case.__name__}-{process}"
    with open(path.with_suffix(".log"), "w") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    os.environ["XLA_FLAGS"] += _devices(4 // HOSTS)
    try:
        found = case(folder, process, port)
        path.with_suffix(".json").write_text(json.dumps(found))
    except BaseException:
        traceback.print_exc()
        sys.exit(1)
    sys.exit()  # As processes end: those of JAX wait for each other.


def _devices(number):
    return f" --xla_force_host_platform_device_count={number}"


def main(folder):
    gc.freeze()
    found = {case.__name__: statuses(case, folder) for case in (killed, gone_on)}
    (folder / "statuses.json").write_text(json.dumps(found))
    os.environ["XLA_FLAGS"] += _devices(4)
    several_devices.leave("jax_devices", folder)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
