"""NVIDIA's Triton with one model that runs in ONNX Runtime, through its Python backend: prints a line of JSON when it is ready and ends when its input does.

triton.py MODEL [--ports REST GRPC]
"""

import argparse
import json
import os
import signal
import socket
import sys

import numpy as np
import onnxruntime as ort
from pytriton.decorators import batch
from pytriton.model_config import ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


def described(tensors):
    """A network's inputs or outputs without the dimension of the samples, all of them float32."""
    return [Tensor(name=each.name, dtype=np.float32, shape=tuple(each.shape[1:])) for each in tensors]


def main() -> None:
    # Its server and backend are processes of their own: who kills the group kills them.
    os.setpgrp()
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--ports", type=int, nargs=2, help="of REST and gRPC, where they are not to be any free ones")
    given = parser.parse_args()
    port, grpc_port = given.ports or (free_port(), free_port())
    network = ort.InferenceSession(given.model, providers=["CPUExecutionProvider"])

    @batch
    def infer(**inputs):
        return network.run(None, inputs)

    config = TritonConfig(
        http_address="127.0.0.1",
        http_port=port,
        grpc_address="127.0.0.1",
        grpc_port=grpc_port,
        allow_metrics=False,
        exit_timeout_secs=5,
    )
    # Its own words go where errors go: the one line is what is read.
    said, sys.stdout = os.fdopen(os.dup(1), "w"), sys.stderr
    os.dup2(2, 1)
    with Triton(config=config) as triton:
        triton.bind(
            model_name="m",
            infer_func=infer,
            inputs=described(network.get_inputs()),
            outputs=described(network.get_outputs()),
            config=ModelConfig(max_batch_size=64),
        )
        triton.run()
        said.write(json.dumps({"rest": f"http://127.0.0.1:{port}", "grpc": f"grpc://127.0.0.1:{grpc_port}"}) + "\n")
        said.flush()
        sys.stdin.read()
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
