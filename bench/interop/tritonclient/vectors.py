"""Writes test/vectors/oip/messages.json: messages of GRPCInferenceService as Google's protobuf code writes them from NVIDIA's definitions."""

import json
import sys

from tritonclient.grpc import service_pb2 as pb

CONTENTS = {
    "BOOL": ("bool_contents", [True, False, True]),
    "INT8": ("int_contents", [-128, 0, 127]),
    "INT16": ("int_contents", [-32768, 0, 32767]),
    "INT32": ("int_contents", [-(2**31), 0, 2**31 - 1]),
    "INT64": ("int64_contents", [-(2**63), 0, 2**63 - 1]),
    "UINT8": ("uint_contents", [0, 1, 255]),
    "UINT16": ("uint_contents", [0, 1, 65535]),
    "UINT32": ("uint_contents", [0, 1, 2**32 - 1]),
    "UINT64": ("uint64_contents", [0, 1, 2**64 - 1]),
    "FP32": ("fp32_contents", [0.0, -1.5, float("inf")]),
    "FP64": ("fp64_contents", [0.0, -1e308, 0.1]),
    "BYTES": ("bytes_contents", [b"", b"\xff\x00", "ü".encode()]),
}


def plain(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, bool):
        return int(value)
    return str(value) if isinstance(value, int) else repr(value)


def typed():
    for datatype, (field, values) in CONTENTS.items():
        request = pb.ModelInferRequest(model_name="m")
        tensor = request.inputs.add(name="x", datatype=datatype, shape=[3, 1])
        getattr(tensor.contents, field).extend(values)
        yield {
            "kind": "typed",
            "datatype": datatype,
            "values": [plain(v) for v in values],
            "bytes": request.SerializeToString(deterministic=True).hex(),
        }


def request():
    message = pb.ModelInferRequest(model_name="mnist", model_version="2", id="a-1")
    message.parameters["flag"].bool_param = True
    message.parameters["half"].double_param = 0.5
    message.parameters["n"].int64_param = -7
    message.parameters["text"].string_param = "ü"
    for i in range(2):
        tensor = message.inputs.add(name=f"x{i}", datatype="UINT8", shape=[1, 200])
        tensor.parameters["k"].int64_param = i
        message.raw_input_contents.append(bytes(range(200)))
    message.outputs.add(name="y").parameters["classification"].int64_param = 3
    return {"kind": "request", "bytes": message.SerializeToString(deterministic=True).hex()}


def response():
    message = pb.ModelInferResponse(model_name="mnist", model_version="2", id="a-1")
    message.parameters["text"].string_param = "t" * 300
    message.outputs.add(name="y", datatype="UINT8", shape=[0, 10])
    message.raw_output_contents.append(b"")
    return {"kind": "response", "bytes": message.SerializeToString(deterministic=True).hex()}


def metadata():
    message = pb.ModelMetadataResponse(name="mnist", versions=["1", "2"], platform="onnx")
    message.inputs.add(name="x", datatype="FP32", shape=[-1, 28, 28, 1, 300])
    message.outputs.add(name="y", datatype="FP32", shape=[-1, 10])
    return {"kind": "metadata", "bytes": message.SerializeToString(deterministic=True).hex()}


def server():
    message = pb.ServerMetadataResponse(name="glacis", version="2", extensions=["binary_tensor_data"])
    return {"kind": "server", "bytes": message.SerializeToString(deterministic=True).hex()}


with open(sys.argv[1], "w", encoding="utf-8") as file:
    json.dump([*typed(), request(), response(), metadata(), server()], file, indent=1)
    file.write("\n")
