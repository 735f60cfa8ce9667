#!/bin/sh
# Makes the signatures in this folder with published versions of the Python package model-signing. The keys are made for it and thrown
# away, so that running it again replaces every file. WORK is a folder for the environments.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=${WORK:?a folder for the environments}
keys=$(mktemp -d)
trap 'rm -rf "$keys"' EXIT

for curve in prime256v1 secp384r1 secp521r1; do
  openssl ecparam -name "$curve" -genkey -noout -out "$keys/$curve.pem"
  openssl ec -in "$keys/$curve.pem" -pubout -out "$here/$curve.pub" 2>/dev/null
done

# Root, intermediate and a leaf on P-384, valid for fifty years.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout "$keys/root.pem" -out "$here/root.crt" \
  -subj "/CN=Test root" -days 18250 2>/dev/null
issue() { # name, issuer, subject, extensions
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout "$keys/$1.pem" -out "$keys/$1.csr" -subj "$3" 2>/dev/null
  printf '%b' "$4" > "$keys/$1.ext"
  openssl x509 -req -in "$keys/$1.csr" -CA "$here/$2.crt" -CAkey "$keys/$2.pem" -CAcreateserial -CAserial "$keys/serial" \
    -days 18000 -extfile "$keys/$1.ext" -out "$here/$1.crt" 2>/dev/null
}
issue intermediate root "/CN=Test intermediate" 'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\n'
issue leaf intermediate "/CN=Test signer" 'basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n'

environment() { # version, further packages
  version=$1
  shift
  [ -x "$work/venv-$version/bin/python" ] || python3 -m venv "$work/venv-$version"
  "$work/venv-$version/bin/pip" install --quiet "model-signing==$version" pyOpenSSL "$@"
}

environment 0.2.0 sigstore-protobuf-specs 'sigstore<4'
"$work/venv-0.2.0/bin/python" "$here/make-0.2.0.py" "$here" "$keys"
for version in 0.3.1 1.0.0 1.0.1; do environment "$version" sigstore-protobuf-specs 'sigstore<4'; done
for version in 1.1.0 1.1.1; do environment "$version"; done
cd "$here"
for version in 0.3.1 1.0.0 1.0.1 1.1.0 1.1.1; do
  tool="$work/venv-$version/bin/python run-tool.py"
  $tool sign key model --signature "v$version-key.sig" --private_key "$keys/secp384r1.pem"
  # Released as it was, 0.3.1 cannot sign with a certificate.
  [ "$version" = 0.3.1 ] || $tool sign certificate model --signature "v$version-certificate.sig" --private_key "$keys/leaf.pem" \
    --signing_certificate leaf.crt --certificate_chain intermediate.crt
done
tool=$work/venv-1.1.1/bin/model_signing
for curve in prime256v1 secp521r1; do
  "$tool" sign key model --signature "$curve.sig" --private_key "$keys/$curve.pem"
done
"$tool" sign key model/config.json --signature single-file.sig --private_key "$keys/prime256v1.pem"
"$work/venv-1.1.1/bin/python" "$here/make-hashes.py" "$keys/prime256v1.pem"
