"""Asks a server of the Open Inference Protocol with NVIDIA's own client, over REST and gRPC, and says what does not come back.

Without addresses it starts the faces of Glacis in front of a gateway that echoes, and sends every datatype, in JSON and in binary form,
plain and compressed, in both directions. With `--rest` and `--grpc` it asks a server that runs (`glacis serve`), with `--key` as
its key and `--model` as one of its models, which need not echo: then what comes over one way must come over every other.
"""

import argparse
import json
import os
import subprocess
import sys
import traceback

import ml_dtypes
import numpy as np
import tritonclient.grpc as triton_grpc
import tritonclient.grpc.aio as triton_grpc_aio
import tritonclient.http as triton_http
import tritonclient.http.aio as triton_http_aio
from tritonclient.utils import InferenceServerException

ROOT = os.path.join(os.path.dirname(__file__), "..", "..", "..")


def samples():
    """A tensor of every datatype, with the values at its edges."""
    rng = np.random.default_rng(7)
    yield "BOOL", np.array([[True, False, True]])
    for bits in (8, 16, 32, 64):
        for kind in ("int", "uint"):
            info = np.iinfo(f"{kind}{bits}")
            values = [info.min, info.max, 0, 1, info.max // 3, info.min // 2]
            yield f"{kind.upper()}{bits}", np.array(values, dtype=info.dtype).reshape(2, 3)
    yield "FP16", rng.standard_normal((3, 5)).astype(np.float16)
    yield "FP32", rng.standard_normal((2, 1, 28, 28)).astype(np.float32)
    yield "FP64", np.array([[1e-308, -1.7976931348623157e308, 0.1, -0.0]])
    yield "BYTES", np.array([["", "text", "größe 火"]], dtype=np.object_)
    yield "FP32", np.zeros((0, 4), dtype=np.float32)


def bfloat16():
    """BF16 as the client takes it since its release 26.06."""
    return (np.arange(6, dtype=np.float32) / 4).reshape(2, 3).astype(ml_dtypes.bfloat16)


def same(sent, got):
    if sent.dtype == np.object_:
        return [s.encode() if isinstance(s, str) else s for s in sent.ravel()] == [
            g.encode() if isinstance(g, str) else g for g in got.ravel()
        ]
    return got.dtype == sent.dtype and got.shape == sent.shape and sent.tobytes() == got.tobytes()


def fresh(headers):
    """A copy: the client writes the length of its JSON into the headers that it is given, and would send it with the next question."""
    return dict(headers) if headers else None


class Checks:
    def __init__(self):
        self.passed = 0
        self.failed = 0

    def check(self, name, run):
        try:
            wrong = run()
        except Exception:  # noqa: BLE001: whatever it is, it is a result
            wrong = traceback.format_exc()
        if wrong:
            self.failed += 1
            print(f"FAILED {name}: {wrong}")
        else:
            self.passed += 1


def http_input(name, datatype, values, binary):
    tensor = triton_http.InferInput(name, list(values.shape), datatype)
    tensor.set_data_from_numpy(values, binary_data=binary)
    return tensor


def grpc_input(name, datatype, values):
    tensor = triton_grpc.InferInput(name, list(values.shape), datatype)
    tensor.set_data_from_numpy(values)
    return tensor


def json_holds(datatype, values):
    """What JSON carries: no 16-bit floats, and 64-bit integers up to 2^53 - 1 alone."""
    if datatype in ("FP16", "BF16"):
        return False
    return not (datatype in ("INT64", "UINT64") and np.abs(values.astype(object)).max() >= 2**53)


def echo(checks, rest, grpc, headers):
    everything = [*samples(), ("BF16", bfloat16())]
    http = triton_http.InferenceServerClient(rest)
    for datatype, values in everything:
        for binary_in in (True, False):
            small = values if binary_in or json_holds(datatype, values) else None
            if small is None:
                if datatype in ("FP16", "BF16"):
                    continue
                small = values // 2048
            for binary_out in (True, False, None):
                if binary_out is False and not json_holds(datatype, small):
                    continue
                for squeeze in (None, "gzip", "deflate"):
                    for stretch in (None, "gzip", "deflate"):

                        def run():
                            outputs = (
                                None
                                if binary_out is None
                                else [triton_http.InferRequestedOutput("x", binary_data=binary_out)]
                            )
                            result = http.infer(
                                "echo",
                                [http_input("x", datatype, small, binary_in)],
                                outputs=outputs,
                                request_id="r-1",
                                request_compression_algorithm=squeeze,
                                response_compression_algorithm=stretch,
                                headers=fresh(headers),
                            )
                            answer = result.get_response()
                            if answer["id"] != "r-1" or answer["model_name"] != "echo":
                                return f"answered {answer}"
                            got = result.as_numpy("x")
                            return None if same(small, got) else f"sent {small!r}, got {got!r}"

                        name = f"REST {datatype} in={'binary' if binary_in else 'JSON'} out={binary_out} {squeeze} {stretch}"
                        checks.check(name, run)
    plain = triton_grpc.InferenceServerClient(grpc)
    for datatype, values in everything:
        for squeeze in (None, "gzip", "deflate"):

            def run():
                result = plain.infer(
                    "echo",
                    [grpc_input("x", datatype, values)],
                    model_version="1",
                    request_id="r-2",
                    compression_algorithm=squeeze,
                    headers=fresh(headers),
                )
                answer = result.get_response()
                if answer.id != "r-2" or answer.model_name != "echo" or answer.model_version != "1":
                    return f"answered {answer}"
                got = result.as_numpy("x")
                return None if same(values, got) else f"sent {values!r}, got {got!r}"

            checks.check(f"gRPC {datatype} {squeeze}", run)

    a, b = np.arange(4, dtype=np.float32), np.array([True, False])

    def several_http():
        result = http.infer(
            "echo",
            [http_input("a", "FP32", a, True), http_input("b", "BOOL", b, False)],
            outputs=[triton_http.InferRequestedOutput("b", binary_data=True)],
            headers=fresh(headers),
        )
        return None if same(b, result.as_numpy("b")) and result.as_numpy("a") is None else "other outputs"

    def several_grpc():
        result = plain.infer(
            "echo",
            [grpc_input("a", "FP32", a), grpc_input("b", "BOOL", b)],
            outputs=[triton_grpc.InferRequestedOutput("b")],
            headers=fresh(headers),
        )
        return None if same(b, result.as_numpy("b")) and result.as_numpy("a") is None else "other outputs"

    def large_http():
        values = np.random.default_rng(1).standard_normal((64, 3, 224, 224)).astype(np.float32)
        result = http.infer("echo", [http_input("x", "FP32", values, True)], headers=fresh(headers))
        return None if same(values, result.as_numpy("x")) else "another tensor"

    def large_grpc():
        values = np.random.default_rng(1).standard_normal((64, 3, 224, 224)).astype(np.float32)
        result = plain.infer("echo", [grpc_input("x", "FP32", values)], headers=fresh(headers))
        return None if same(values, result.as_numpy("x")) else "another tensor"

    def large_json():
        values = np.random.default_rng(1).standard_normal((1, 3, 224, 224)).astype(np.float32)
        result = http.infer(
            "echo",
            [http_input("x", "FP32", values, False)],
            outputs=[triton_http.InferRequestedOutput("x", binary_data=False)],
            headers=fresh(headers),
        )
        return None if same(values, result.as_numpy("x")) else "another tensor"

    checks.check("REST several tensors, one asked for", several_http)
    checks.check("gRPC several tensors, one asked for", several_grpc)
    checks.check("REST 38 MB", large_http)
    checks.check("gRPC 38 MB", large_grpc)
    checks.check("REST an image in JSON", large_json)


def talk(checks, rest, grpc, model, headers):
    """What every server of the protocol says, and how refusals reach the client."""
    http = triton_http.InferenceServerClient(rest)
    plain = triton_grpc.InferenceServerClient(grpc) if grpc else None

    def http_server():
        data = http.get_server_metadata(headers=fresh(headers))
        return None if "binary_tensor_data" in data["extensions"] else f"{data}"

    def grpc_server():
        data = plain.get_server_metadata(headers=fresh(headers))
        return None if "binary_tensor_data" in data.extensions else f"{data}"

    def same_metadata():
        one = http.get_model_metadata(model, headers=fresh(headers))
        two = plain.get_model_metadata(model, headers=fresh(headers), as_json=True)
        shape = lambda t: [int(s) for s in t["shape"]]  # noqa: E731
        for side in ("inputs", "outputs"):
            for left, right in zip(one[side], two[side], strict=True):
                if left["name"] != right["name"] or left["datatype"] != right["datatype"]:
                    return f"{one} and {two}"
                if shape(left) != shape(right):
                    return f"{one} and {two}"
        return None

    def refused(ask, status):
        try:
            ask()
        except InferenceServerException as error:
            found = error.message()
            if "no such model or operation" in found and error.status() == status:
                return None
            return f"{error.status()}: {found}"
        return "no error"

    checks.check("REST live and ready", lambda: None if http.is_server_live(headers=fresh(headers)) and http.is_server_ready(headers=fresh(headers)) else "no")
    checks.check("REST server metadata", http_server)
    checks.check("REST model ready", lambda: None if http.is_model_ready(model, headers=fresh(headers)) else "no")
    checks.check("REST unknown model not ready", lambda: "yes" if http.is_model_ready("no-such-model", headers=fresh(headers)) else None)
    x = np.zeros((1, 2), dtype=np.float32)
    checks.check("REST unknown model", lambda: refused(lambda: http.infer("no-such-model", [http_input("x", "FP32", x, True)], headers=fresh(headers)), "404"))
    for verb, ask in {
        "repository index": lambda: http.get_model_repository_index(headers=fresh(headers)),
        "load": lambda: http.load_model(model, headers=fresh(headers)),
        "unload": lambda: http.unload_model(model, headers=fresh(headers)),
        "statistics": lambda: http.get_inference_statistics(headers=fresh(headers)),
        "config": lambda: http.get_model_config(model, headers=fresh(headers)),
        "shared memory": lambda: http.register_system_shared_memory("a", "/a", 8, headers=fresh(headers)),
        "trace": lambda: http.get_trace_settings(headers=fresh(headers)),
        "log": lambda: http.get_log_settings(headers=fresh(headers)),
    }.items():
        checks.check(f"REST {verb} is not there", lambda ask=ask: refused(ask, "404"))
    if plain is None:
        return
    checks.check("gRPC live and ready", lambda: None if plain.is_server_live(headers=fresh(headers)) and plain.is_server_ready(headers=fresh(headers)) else "no")
    checks.check("gRPC server metadata", grpc_server)
    checks.check("gRPC model ready", lambda: None if plain.is_model_ready(model, headers=fresh(headers)) else "no")
    checks.check("model metadata is the same over both", same_metadata)
    checks.check("gRPC unknown model", lambda: refused(lambda: plain.infer("no-such-model", [grpc_input("x", "FP32", x)], headers=fresh(headers)), "StatusCode.NOT_FOUND"))
    for verb, ask in {
        "repository index": lambda: plain.get_model_repository_index(headers=fresh(headers)),
        "load": lambda: plain.load_model(model, headers=fresh(headers)),
        "unload": lambda: plain.unload_model(model, headers=fresh(headers)),
        "statistics": lambda: plain.get_inference_statistics(headers=fresh(headers)),
        "config": lambda: plain.get_model_config(model, headers=fresh(headers)),
        "shared memory": lambda: plain.register_system_shared_memory("a", "/a", 8, headers=fresh(headers)),
        "trace": lambda: plain.get_trace_settings(headers=fresh(headers)),
        "log": lambda: plain.get_log_settings(headers=fresh(headers)),
    }.items():
        checks.check(f"gRPC {verb} is not there", lambda ask=ask: refused(ask, "StatusCode.UNIMPLEMENTED"))


def agree(checks, rest, grpc, model, headers):
    """A model that does not echo: the same question over every way must have the same answer."""
    http = triton_http.InferenceServerClient(rest)
    metadata = http.get_model_metadata(model, headers=fresh(headers))
    rng = np.random.default_rng(3)
    inputs = []
    for tensor in metadata["inputs"]:
        shape = [1 if int(s) < 0 else int(s) for s in tensor["shape"]]
        kinds = {"FP32": np.float32, "FP64": np.float64, "FP16": np.float16}
        inputs.append((tensor["name"], tensor["datatype"], rng.random(shape).astype(kinds[tensor["datatype"]])))
    names = [tensor["name"] for tensor in metadata["outputs"]]

    def over_http(binary_in, binary_out):
        result = http.infer(
            model,
            [http_input(n, d, v, binary_in) for n, d, v in inputs],
            outputs=[triton_http.InferRequestedOutput(n, binary_data=binary_out) for n in names],
            headers=fresh(headers),
        )
        return [result.as_numpy(n) for n in names]

    first = over_http(True, True)
    for binary_in in (True, False):
        for binary_out in (True, False):
            checks.check(
                f"REST {model} in={binary_in} out={binary_out}",
                lambda i=binary_in, o=binary_out: None if all(map(same, first, over_http(i, o))) else "another answer",
            )
    if not grpc:
        return

    def over_grpc():
        client = triton_grpc.InferenceServerClient(grpc)
        result = client.infer(model, [grpc_input(n, d, v) for n, d, v in inputs], headers=fresh(headers))
        return None if all(same(f, result.as_numpy(n)) for f, n in zip(first, names, strict=True)) else "another answer"

    checks.check(f"gRPC {model}", over_grpc)


async def at_once(checks, rest, grpc, headers):
    """The clients for asyncio: many questions on one connection."""
    import asyncio

    values = np.arange(10, dtype=np.float32).reshape(2, 5)
    async with triton_http_aio.InferenceServerClient(rest) as client:

        async def one(i):
            result = await client.infer("echo", [http_input("x", "FP32", values + i, True)], headers=fresh(headers))
            return same(values + i, result.as_numpy("x"))

        done = await asyncio.gather(*(one(i) for i in range(64)))
        checks.check("REST asyncio, 64 at once", lambda: None if all(done) else "another tensor")
    async with triton_grpc_aio.InferenceServerClient(grpc) as client:

        async def call(i):
            result = await client.infer("echo", [grpc_input("x", "FP32", values + i)], headers=fresh(headers))
            return same(values + i, result.as_numpy("x"))

        done = await asyncio.gather(*(call(i) for i in range(64)))
        checks.check("gRPC asyncio, 64 at once", lambda: None if all(done) else "another tensor")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rest", help="host:port of a server that runs")
    parser.add_argument("--grpc", help="host:port of its gRPC face")
    parser.add_argument("--model", default="echo")
    parser.add_argument("--key", help="sent as Authorization: Bearer KEY")
    given = parser.parse_args()
    # HTTP/2, and so gRPC, has names in lower case.
    headers = {"authorization": f"Bearer {given.key}"} if given.key else None
    server = None
    rest, grpc = given.rest, given.grpc
    if rest is None:
        server = subprocess.Popen(
            ["node", "scripts/run.mjs", "bench/interop/tritonclient/serve.ts"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        addresses = json.loads(server.stdout.readline())
        rest, grpc = (addresses[key].split("://")[1] for key in ("rest", "grpc"))
    checks = Checks()
    try:
        talk(checks, rest, grpc, given.model, headers)
        if given.model == "echo":
            echo(checks, rest, grpc, headers)
            import asyncio

            asyncio.run(at_once(checks, rest, grpc, headers))
        else:
            agree(checks, rest, grpc, given.model, headers)
    finally:
        if server is not None:
            server.stdin.close()
            server.wait()
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 0 if checks.failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
