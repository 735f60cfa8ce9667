import { z } from 'zod';
import { GlacisError } from '../core/error.ts';
import { nameProblem } from '../supply/sign/resource-name.ts';
import { type Blob, blobOf } from './blob-store.ts';
import { isDigest } from './names.ts';

/** Media types of ModelPack (CNCF model-spec) and of the OCI image manifest that holds them. */
export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const ARTIFACT_TYPE = 'application/vnd.cncf.model.manifest.v1+json';
/** The type of a model's configuration. */
export const CONFIG_TYPE = 'application/vnd.cncf.model.config.v1+json';
/** Says where a layer's file lies in the model. */
const FILE_PATH = 'org.cncf.model.filepath';
/** Of an encrypted layer: digest and size of what is inside. */
const PLAIN_DIGEST = 'dev.glacis.plain.digest';
const PLAIN_SIZE = 'dev.glacis.plain.size';

/** Bytes of a manifest, and files of a model, at most. */
export const MOST_MANIFEST_BYTES = 4 << 20;
const MOST_FILES = 10_000;

/** A file of a model. */
export interface ModelEntry {
  /** Relative, with `/` between its steps. */
  readonly path: string;
  /** What the file holds. */
  readonly plain: Blob;
  /** What is stored: the same, or its encrypted form. */
  readonly stored: Blob;
}

const digest = z.string().refine(isDigest, 'expected sha256: and 64 hexadecimal digits');
const size = z.int().min(0);
const descriptor = z.object({
  mediaType: z.string().max(200),
  digest,
  size,
  annotations: z.record(z.string().max(200), z.string().max(4096)).optional(),
});
const shape = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.literal(MANIFEST_TYPE),
  artifactType: z.literal(ARTIFACT_TYPE),
  config: descriptor,
  layers: z.array(descriptor).min(1).max(MOST_FILES),
});

/**
 * A model as an OCI manifest of ModelPack's types, one layer a file, and its configuration. The bytes follow from the arguments.
 */
export function formatManifest(
  model: string,
  version: string,
  entries: readonly ModelEntry[],
): { readonly manifest: Uint8Array; readonly config: Uint8Array } {
  const config = Buffer.from(
    JSON.stringify({
      descriptor: { name: model, version },
      modelfs: { type: 'layers', diffIds: entries.map(({ plain }) => plain.digest) },
      config: formatOf(entries),
    }),
  );
  return { manifest: Buffer.from(JSON.stringify(manifestOf(config, entries))), config };
}

function manifestOf(config: Uint8Array, entries: readonly ModelEntry[]) {
  return {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    artifactType: ARTIFACT_TYPE,
    config: { mediaType: CONFIG_TYPE, ...blobOf(config) },
    layers: entries.map(({ path, plain, stored }) => {
      const sealed = plain.digest !== stored.digest;
      return {
        mediaType: `${layerType(path)}${sealed ? '+encrypted' : ''}`,
        digest: stored.digest,
        size: stored.size,
        annotations: {
          [FILE_PATH]: path,
          ...(sealed && { [PLAIN_DIGEST]: plain.digest, [PLAIN_SIZE]: String(plain.size) }),
        },
      };
    }),
  };
}

/**
 * The files that a manifest names, in its order. Paths that could leave the model's folder, or that are one file on some systems and two on
 * others, are refused.
 *
 * @param bytes attacker-controlled
 * @throws GlacisError `registry/invalid`
 */
export function parseManifest(
  bytes: Uint8Array,
  where: string,
): { readonly config: Blob; readonly entries: readonly ModelEntry[] } {
  const fail = (problem: string): never => {
    throw new GlacisError('registry/invalid', `${where}: ${problem}`);
  };
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    fail('expected a manifest in JSON');
  }
  const read = shape.safeParse(json);
  if (!read.success) {
    const [issue] = read.error.issues;
    return fail(`${issue?.path.join('.') || 'manifest'}: ${issue?.message}`);
  }
  const entries = read.data.layers.map(({ digest: layer, size: bytesStored, annotations = {} }) => {
    const path = annotations[FILE_PATH] ?? fail(`expected each layer to say its path with ${FILE_PATH}`);
    const problem = pathProblem(path);
    if (problem) fail(`path ${JSON.stringify(path.slice(0, 80))} ${problem}`);
    const stored = { digest: layer, size: bytesStored };
    const inner = annotations[PLAIN_DIGEST];
    if (inner === undefined) return { path, stored, plain: stored };
    const plainSize = Number(annotations[PLAIN_SIZE]);
    if (!isDigest(inner) || !Number.isSafeInteger(plainSize) || plainSize < 0)
      fail('expected digest and size of what an encrypted layer holds');
    return { path, stored, plain: { digest: inner, size: plainSize } };
  });
  checkTogether(entries, fail);
  return { config: { digest: read.data.config.digest, size: read.data.config.size }, entries };
}

/** Why a path may not be written on some system; `undefined` when it may. `path` is attacker-controlled. */
export function pathProblem(path: string): string | undefined {
  const problem = nameProblem(path);
  if (problem) return problem;
  if (path.length > 1024) return 'is longer than 1,024 characters';
  if (/[\\:*?"<>|]|\p{Cc}/u.test(path)) return 'holds characters that some systems do not allow';
  const step = path
    .split('/')
    .find((part) => /[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(part) || part.length > 255);
  return step === undefined ? undefined : 'holds a name that is reserved on some systems';
}

/** No two files at one place, on systems that fold case or Unicode forms too, and no file where another needs a folder. */
function checkTogether(entries: readonly ModelEntry[], fail: (problem: string) => never): void {
  const folded = (path: string) => path.normalize('NFC').toLowerCase();
  const files = new Set<string>();
  for (const { path } of entries) {
    if (files.has(folded(path))) fail(`expected each path once, got ${JSON.stringify(path)} again`);
    files.add(folded(path));
  }
  for (const { path } of entries) {
    const steps = folded(path).split('/');
    for (let n = 1; n < steps.length; n++)
      if (files.has(steps.slice(0, n).join('/')))
        fail(`expected ${JSON.stringify(path)} in a folder, got a file there`);
  }
}

function formatOf(entries: readonly ModelEntry[]): object {
  const format = ['onnx', 'safetensors', 'gguf', 'tflite'].find((ending) =>
    entries.some(({ path }) => path.endsWith(`.${ending}`)),
  );
  return format ? { format } : {};
}

/** The media type of a file, by its name: only a word for other tools, which nothing here rests on. */
function layerType(path: string): string {
  const ending = /\.(\w+)$/.exec(path)?.[1]?.toLowerCase() ?? '';
  const kind = ['json', 'yaml', 'yml', 'toml', 'txt', 'model', 'jinja'].includes(ending)
    ? 'weight.config'
    : ['md', 'rst', 'pdf'].includes(ending) || /(^|\/)(license|notice|readme)[^/]*$/i.test(path)
      ? 'doc'
      : ['py', 'ts', 'js', 'sh', 'ipynb'].includes(ending)
        ? 'code'
        : 'weight';
  return `application/vnd.cncf.model.${kind}.v1.raw`;
}
