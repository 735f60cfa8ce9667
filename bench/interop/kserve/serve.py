"""KServe's own model server with one model that runs in ONNX Runtime: prints a line of JSON when it is ready and ends when its input does.

serve.py MODEL [--ports REST GRPC]
"""

import argparse
import json
import os
import signal
import socket
import sys
import threading
import time
import urllib.request

import onnxruntime as ort
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


def described(tensors):
    """Metadata of a network's inputs or outputs, all of them float32; -1 is any number of samples."""
    return [
        {"name": each.name, "datatype": "FP32", "shape": [size if isinstance(size, int) else -1 for size in each.shape]}
        for each in tensors
    ]


class Network(Model):
    """An ONNX file as KServe serves models of one's own."""

    def __init__(self, file: str) -> None:
        super().__init__("m")
        self.network = ort.InferenceSession(file, providers=["CPUExecutionProvider"])
        self.ready = True

    async def get_input_types(self):
        return described(self.network.get_inputs())

    async def get_output_types(self):
        return described(self.network.get_outputs())

    async def predict(self, payload: InferRequest, headers=None, response_headers=None) -> InferResponse:
        inputs = {each.name: each.as_numpy() for each in payload.inputs}
        outputs = []
        for described_output, values in zip(self.network.get_outputs(), self.network.run(None, inputs)):
            output = InferOutput(name=described_output.name, shape=list(values.shape), datatype="FP32")
            output.set_data_from_numpy(values, binary_data=bool(payload.use_binary_outputs))
            outputs.append(output)
        return InferResponse(
            response_id=payload.id,
            model_name="m",
            infer_outputs=outputs,
            use_binary_outputs=payload.use_binary_outputs,
            requested_outputs=payload.request_outputs,
        )


def main() -> None:
    os.setpgrp()
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--ports", type=int, nargs=2, help="of REST and gRPC, where they are not to be any free ones")
    given = parser.parse_args()
    port, grpc_port = given.ports or (free_port(), free_port())
    # Its own words go where errors go: the one line is what is read.
    said, sys.stdout = os.fdopen(os.dup(1), "w"), sys.stderr
    os.dup2(2, 1)

    def tell() -> None:
        for _ in range(300):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/models/m/ready", timeout=1) as answer:
                    if answer.status == 200:
                        break
            except OSError:
                pass
            time.sleep(0.1)
        else:
            print("not ready after 30 s", file=sys.stderr)
            os.killpg(0, signal.SIGKILL)
        said.write(json.dumps({"rest": f"http://127.0.0.1:{port}", "grpc": f"grpc://127.0.0.1:{grpc_port}"}) + "\n")
        said.flush()
        sys.stdin.read()
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=tell, daemon=True).start()
    ModelServer(http_port=port, grpc_port=grpc_port, workers=1).start([Network(given.model)])


if __name__ == "__main__":
    main()
