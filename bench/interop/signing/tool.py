"""Signs and verifies models with the Python package model-signing. Jobs come as a JSON list on standard input, outcomes go out as one."""

import json
import pathlib
import sys

import model_signing

# The package calls BLAKE2b by another name where it is configured than where it is written.
CONFIGURED = {"sha256": "sha256", "blake2b": "blake2", "blake3": "blake3"}


def hashing(job):
    config = model_signing.hashing.Config()
    algorithm = CONFIGURED[job["hash"]]
    if job["shardSize"]:
        return config.use_shard_serialization(hashing_algorithm=algorithm, shard_size=job["shardSize"])
    return config.use_file_serialization(hashing_algorithm=algorithm)


def run(job):
    model, signature = pathlib.Path(job["model"]), pathlib.Path(job["signature"])
    if job["do"] == "sign":
        config = model_signing.signing.Config()
        if job["method"] == "key":
            config.use_elliptic_key_signer(private_key=pathlib.Path(job["key"]))
        else:
            config.use_certificate_signer(
                private_key=pathlib.Path(job["key"]),
                signing_certificate=pathlib.Path(job["certificate"]),
                certificate_chain=[pathlib.Path(job["chain"])],
            )
        config.set_hashing_config(hashing(job)).sign(model, signature)
        return
    config = model_signing.verifying.Config()
    if job["method"] == "key":
        config.use_elliptic_key_verifier(public_key=pathlib.Path(job["key"]))
    else:
        config.use_certificate_verifier(certificate_chain=[pathlib.Path(job["root"])])
    if not job["guess"]:
        config.set_hashing_config(hashing(job))
    config.verify(model, signature)


def outcome(job):
    try:
        run(job)
        return {"ok": True}
    except Exception as error:  # noqa: BLE001 - any failure is an outcome
        return {"ok": False, "error": f"{type(error).__name__}: {error}"}


outcomes = [outcome(job) for job in json.load(sys.stdin)]
json.dump({"version": model_signing.__version__, "outcomes": outcomes}, sys.stdout)
