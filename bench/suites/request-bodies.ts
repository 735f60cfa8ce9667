import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { GlacisError } from '../../src/core/error.ts';
import { writeNpz } from '../../src/data/npz.ts';
import { encodeGrpcInferRequest, encodeInferRequest, type InferRequest } from '../../src/oip/index.ts';
import { elementCount } from '../../src/onnx/tensor.ts';
import { digits } from '../ours/stateful/pictures.ts';
import { CACHE, dataPath, SHARED } from '../places.ts';

/** Where requests, thresholds and scripts of loads lie. */
export const LOADS = join(CACHE, 'gateway');

/** A model under load. */
export interface Network {
  readonly name: string;
  readonly file: string;
  readonly input: string;
  readonly shape: readonly number[];
  /** Share of the bare server's throughput that the full one must keep. */
  readonly wanted: number;
  /** Different requests that a load cycles through: more than guards remember, or than a load sends. */
  readonly bodies: number;
}

/** Models that are put under load. */
export const NETWORKS: readonly Network[] = [
  {
    name: 'mnist-cnn',
    file: join(SHARED, 'models', 'mnist-cnn.onnx'),
    input: 'input',
    shape: [1, 1, 28, 28],
    wanted: 0.7,
    bodies: 40_000,
  },
  {
    name: 'resnet18',
    file: join(CACHE, 'resnet18.onnx'),
    input: 'input',
    shape: [1, 3, 32, 32],
    wanted: 0.9,
    bodies: 4000,
  },
];

/** Errors: `option/invalid`. */
export function networkNamed(name: string): Network {
  const found = NETWORKS.find((each) => each.name === name);
  if (found) return found;
  throw new GlacisError(
    'option/invalid',
    `network: expected ${NETWORKS.map((each) => each.name).join(' or ')}, got ${name}`,
  );
}

/** How tensors travel: over REST as bytes or as JSON, or over gRPC. */
export const FORMATS = ['binary', 'json', 'grpc'] as const;

/** One of {@link FORMATS}. */
export type Format = (typeof FORMATS)[number];

/** Photographs that guards are calibrated on; those that are sent come after them. */
const CALM_PHOTOGRAPHS = 5000;
const PHOTOGRAPH = 3072;

/** What {@link writeBodies} wrote: the bodies one after another, and how long each is, a number a line. */
export function bodyFiles({ name }: Network, format: Format) {
  const file = join(LOADS, `${name}-${format}`);
  return { bodies: `${file}.bodies`, lengths: `${file}.lengths`, jsonLength: `${file}.json-length` };
}

/** The bodies that {@link writeBodies} wrote. */
export function bodiesOf(network: Network, format: Format): readonly Buffer[] {
  const files = bodyFiles(network, format);
  const all = readFileSync(files.bodies);
  let at = 0;
  return readFileSync(files.lengths, 'utf8')
    .trim()
    .split('\n')
    .map((length) => {
      at += Number(length);
      return all.subarray(at - Number(length), at);
    });
}

/** What a request over REST is sent with, beside its body. */
export function headersFor(network: Network, format: Format, key: string): Readonly<Record<string, string>> {
  const length = format === 'binary' ? readFileSync(bodyFiles(network, format).jsonLength, 'utf8') : '';
  return {
    Authorization: `Bearer ${key}`,
    'Content-Type': format === 'binary' ? 'application/octet-stream' : 'application/json',
    ...(length !== '' && { 'Inference-Header-Content-Length': length }),
  };
}

/** Writes the network's requests where they are not there yet: real pictures, each once, none of which its guards were calibrated on. */
export function writeBodies(network: Network, format: Format): void {
  const files = bodyFiles(network, format);
  if (existsSync(files.lengths)) return;
  mkdirSync(LOADS, { recursive: true });
  const { input, shape, bodies } = network;
  const size = elementCount(shape);
  const pictures = picturesOf(network);
  const written: Uint8Array[] = [];
  const lengths: number[] = [];
  for (let i = 0; i < bodies; i++) {
    const data = pictures.subarray(i * size, (i + 1) * size);
    const request = {
      inputs: [{ name: input, datatype: 'FP32', shape, data }],
      binaryOutput: format !== 'json',
    } satisfies InferRequest;
    const pieces =
      format === 'grpc' ? encodeGrpcInferRequest({ model: 'm', version: undefined, request }) : [];
    if (format !== 'grpc') {
      const { body, headers } = encodeInferRequest(request, { binary: format === 'binary' });
      if (i === 0) writeFileSync(files.jsonLength, headers['inference-header-content-length'] ?? '');
      written.push(body);
    } else written.push(Buffer.concat(pieces));
    lengths.push(written.at(-1)!.length);
  }
  writeFileSync(files.bodies, Buffer.concat(written));
  writeFileSync(files.lengths, `${lengths.join('\n')}\n`);
}

/** The pictures that are sent, `[n, …]`, 0–1. */
export function picturesOf({ name }: Network): Float32Array {
  return name === 'mnist-cnn' ? digits('train').x : photographs().subarray(CALM_PHOTOGRAPHS * PHOTOGRAPH);
}

/** Calm samples for `glacis calibrate`, as its `--data` takes them: digits that the network was not trained on; photographs (ResNet-18's weights are random). */
export async function calmData({ name }: Network): Promise<string> {
  if (name === 'mnist-cnn') return dataPath(name);
  const file = join(LOADS, 'calm-photographs.npz');
  mkdirSync(LOADS, { recursive: true });
  const data = photographs().slice(0, CALM_PHOTOGRAPHS * PHOTOGRAPH);
  if (!existsSync(file)) await writeNpz(file, { x: { data, shape: [CALM_PHOTOGRAPHS, 3, 32, 32] } });
  return file;
}

/** CIFAR-10's training part, `[10000, 3, 32, 32]`, 0–1. */
function photographs(): Float32Array {
  const bytes = unzipSync(readFileSync(join(SHARED, 'data', 'cifar10', 'train.npz')))['x.npy']!;
  const pixels = bytes.subarray(bytes.length - 10_000 * PHOTOGRAPH);
  const x = new Float32Array(pixels.length);
  for (let at = 0; at < x.length; at++) {
    const [picture, place] = [Math.floor(at / PHOTOGRAPH), at % PHOTOGRAPH];
    x[at] = pixels[picture * PHOTOGRAPH + 3 * (place % 1024) + Math.floor(place / 1024)]! / 255;
  }
  return x;
}
