"""MLServer with one model that runs in ONNX Runtime: no keys, no limits, no log. Prints a line of JSON when it is ready and ends when its input does.

serve.py MODEL --workers N --threads N --batch N --wait SECONDS [--ports REST GRPC]
"""

import argparse
import asyncio
import json
import os
import signal
import socket
import sys
import tempfile

import onnxruntime as ort
from mlserver import MLServer, ModelSettings, Settings
from mlserver.types import MetadataTensor
from network import Network


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


def described(tensors):
    """Metadata of a network's inputs or outputs, all of them float32; -1 is any number of samples."""
    return [
        MetadataTensor(name=each.name, datatype="FP32", shape=[size if isinstance(size, int) else -1 for size in each.shape])
        for each in tensors
    ]


async def main() -> None:
    os.setpgrp()
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    for name, kind in (("workers", int), ("threads", int), ("batch", int), ("wait", float)):
        parser.add_argument(f"--{name}", type=kind, required=True)
    parser.add_argument("--ports", type=int, nargs=2, help="of REST and gRPC, where they are not to be any free ones")
    given = parser.parse_args()
    port, grpc_port = given.ports or (free_port(), free_port())
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp()
    settings = Settings(
        debug=False,
        host="127.0.0.1",
        http_port=port,
        grpc_port=grpc_port,
        metrics_endpoint=None,
        parallel_workers=given.workers,
        gzip_enabled=False,
        load_models_at_startup=True,
        use_structured_logging=True,
        model_repository_root=tempfile.mkdtemp(),
    )
    server = MLServer(settings)
    batching = {"max_batch_size": given.batch, "max_batch_time": given.wait} if given.batch > 1 else {}
    network = ort.InferenceSession(given.model, providers=["CPUExecutionProvider"])
    model = ModelSettings(
        name="m",
        inputs=described(network.get_inputs()),
        outputs=described(network.get_outputs()),
        implementation=Network,
        parameters={"extra": {"file": os.path.abspath(given.model), "threads": given.threads}},
        **batching,
    )
    running = asyncio.create_task(server.start([model]))
    for _ in range(200):
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /v2/models/m/ready HTTP/1.0\r\n\r\n")
            head = await reader.readline()
            writer.close()
            if b" 200 " in head:
                break
        except OSError:
            pass
        await asyncio.sleep(0.1)
    else:
        print("not ready after 20 s", file=sys.stderr)
        os.killpg(0, signal.SIGKILL)
    print(json.dumps({"rest": f"http://127.0.0.1:{port}", "grpc": f"grpc://127.0.0.1:{grpc_port}", "key": "none"}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    running.cancel()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    asyncio.run(main())
