"""Signatures of version 0.2.0, which had no command line for keys and certificates. Arguments: this folder, the folder of the keys."""

import pathlib
import sys

from model_signing.hashing import file, memory
from model_signing.serialization import serialize_by_file
from model_signing.signature import key, pki
from model_signing.signing import in_toto, in_toto_signature

here, keys = map(pathlib.Path, sys.argv[1:])
serializer = serialize_by_file.ManifestSerializer(
    lambda path: file.SimpleFileHasher(path, memory.SHA256()), allow_symlinks=False
)
payload = in_toto.DigestsIntotoPayload.from_manifest(serializer.serialize(here / "model"))
signers = {
    "key": key.ECKeySigner.from_path(str(keys / "secp384r1.pem")),
    "certificate": pki.PKISigner.from_path(
        str(keys / "leaf.pem"), str(here / "leaf.crt"), [str(here / "intermediate.crt")]
    ),
}
for name, signer in signers.items():
    signature = in_toto_signature.IntotoSigner(signer).sign(payload)
    signature.write(here / f"v0.2.0-{name}.sig")
