/**
 * `node scripts/generate-proto.mjs`: generates src/onnx/proto/onnx_pb.js and its declarations from onnx.proto. Needs protoc
 * (Debian: `apt install protobuf-compiler`). Run it when onnx.proto is replaced by a newer one from
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, and commit what it writes.
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, 'src/onnx/proto');
const plugin = join(root, 'node_modules/@bufbuild/protoc-gen-es/bin/protoc-gen-es');

const { status, error } = spawnSync(
  'protoc',
  [
    `--plugin=protoc-gen-es=${plugin}`,
    `--proto_path=${folder}`,
    `--es_out=${folder}`,
    '--es_opt=target=js+dts,import_extension=js',
    'onnx.proto',
  ],
  { stdio: 'inherit' },
);
if (error)
  process.stderr.write(
    `protoc did not start (${error.message}); install it: apt install protobuf-compiler\n`,
  );
process.exitCode = status ?? 1;
