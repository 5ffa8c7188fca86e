"""`--deterministic`: the same numbers from the same command on a GPU too."""

import os

import keras


def make_deterministic() -> None:
    """Keep the backend from operations whose result depends on the order of threads.

    Call it before anything is built. On a CPU the operations that are used here are
    deterministic without it.
    """
    backend = keras.config.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
        cost = "XLA is off and some GPU kernels are slower ones"
    elif backend == "jax":
        flags = os.environ.get("XLA_FLAGS", "")
        os.environ["XLA_FLAGS"] = f"{flags} --xla_gpu_deterministic_ops=true"
        cost = "scatters and some convolutions are slower on a GPU"
    else:
        import torch

        # What cuBLAS asks for; read when the GPU is first used.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True)
        torch.backends.cudnn.benchmark = False
        cost = "cuDNN picks slower convolutions and some operations raise"
    print(f"--deterministic with {backend}: {cost}", flush=True)
