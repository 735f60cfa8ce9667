"""Signatures over every hash and with shards, which the command line does not offer. Argument: the private key."""

import pathlib
import sys

import model_signing

private_key = pathlib.Path(sys.argv[1])
configs = {
    "blake2b": lambda c: c.use_file_serialization(hashing_algorithm="blake2"),
    "blake3": lambda c: c.use_file_serialization(hashing_algorithm="blake3"),
    "shards": lambda c: c.use_shard_serialization(shard_size=16),
    "shards-blake2b": lambda c: c.use_shard_serialization(hashing_algorithm="blake2", shard_size=16),
}
for name, configure in configs.items():
    model_signing.signing.Config().use_elliptic_key_signer(private_key=private_key).set_hashing_config(
        configure(model_signing.hashing.Config())
    ).sign(pathlib.Path("model"), pathlib.Path(f"{name}.sig"))
