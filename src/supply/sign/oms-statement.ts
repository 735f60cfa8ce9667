import { GlacisError } from '../../core/error.ts';
import { DIGEST_BYTES, type HashType, hashTypeFrom } from './hash-type.ts';
import { type Fields, isObject, kindOf, listAt, objectAt, textAt } from './json-fields.ts';
import { type Manifest, type Resource, rootDigest, type Serialization } from './manifest.ts';
import { nameProblem, parseShardName } from './resource-name.ts';

const STATEMENT = 'https://in-toto.io/Statement/v1';
const PREDICATE = 'https://model_signing/signature/v1.0';
/** Of version 0.2.0, where each file was a subject. */
const LEGACY_PREDICATE = 'https://model_signing/Digests/v0.1';

/** The statement that is signed: the manifest as an in-toto statement with the OMS v1.0 predicate. In UTF-8. */
export function payloadOf({ name, resources, serialization }: Manifest): Uint8Array {
  const { method, hashType, shardSize, allowSymlinks, ignorePaths } = serialization;
  return Buffer.from(
    JSON.stringify({
      _type: STATEMENT,
      subject: [{ name, digest: { sha256: rootDigest(resources) } }],
      predicateType: PREDICATE,
      predicate: {
        resources: resources.map(({ name, algorithm, digest }) => ({ name, digest, algorithm })),
        serialization: {
          method,
          hash_type: hashType,
          ...(shardSize === undefined ? {} : { shard_size: shardSize }),
          allow_symlinks: allowSymlinks,
          ...(ignorePaths === undefined ? {} : { ignore_paths: ignorePaths }),
        },
      },
    }),
  );
}

/** What a signed statement says about a model. */
export interface SignedManifest {
  readonly manifest: Manifest;
  /** `legacy` is the statement of version 0.2.0, which says nothing about links or ignored paths. */
  readonly format: 'v1.0' | 'legacy';
}

/**
 * Reads a statement back. The resources keep their order, because the root digest was made in it; published tools do not sort alike. The
 * root digest is computed again. Errors: `statement/invalid` for another type, a missing field, names that lead out of the model or come
 * twice, digests of a wrong length, a root digest that is not that of the resources.
 */
export function manifestFrom(payload: Uint8Array): SignedManifest {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch (cause) {
    throw invalid('expected JSON, got something else', cause);
  }
  if (!isObject(json)) throw invalid(`expected an object, got ${kindOf(json)}`);
  const type = textAt(json, '_type', invalid);
  if (type !== STATEMENT) throw invalid(`_type: expected '${STATEMENT}', got '${type}'`);
  const predicateType = textAt(json, 'predicateType', invalid);
  const subjects = listAt(json, 'subject', invalid);
  if (predicateType === LEGACY_PREDICATE) return legacyManifest(subjects);
  if (predicateType !== PREDICATE)
    throw invalid(`predicateType: expected '${PREDICATE}', got '${predicateType}'`);
  if (subjects.length !== 1 || !isObject(subjects[0]))
    throw invalid(`subject: expected one, got ${subjects.length}`);
  const predicate = objectAt(json, 'predicate', invalid);
  const serialization = serializationFrom(objectAt(predicate, 'serialization', invalid));
  const resources = listAt(predicate, 'resources', invalid).map((entry) => {
    if (!isObject(entry)) throw invalid(`resources: expected objects, got ${kindOf(entry)}`);
    const name = textAt(entry, 'name', invalid);
    return resourceFrom(
      name,
      textAt(entry, 'algorithm', invalid),
      textAt(entry, 'digest', invalid),
      serialization,
    );
  });
  requireDistinct(resources);
  const root = textAt(objectAt(subjects[0], 'digest', invalid), 'sha256', invalid);
  const found = rootDigest(resources);
  if (root.toLowerCase() !== found)
    throw invalid(`subject: expected the digest of the resources, ${found}, got ${root.slice(0, 80)}`);
  return {
    manifest: { name: textAt(subjects[0], 'name', invalid), resources, serialization },
    format: 'v1.0',
  };
}

function serializationFrom(json: Fields): Serialization {
  const method = textAt(json, 'method', invalid);
  if (method !== 'files' && method !== 'shards')
    throw invalid(`method: expected files or shards, got '${method}'`);
  const allowSymlinks = json.allow_symlinks;
  if (typeof allowSymlinks !== 'boolean')
    throw invalid(`allow_symlinks: expected true or false, got ${kindOf(allowSymlinks)}`);
  const shardSize = json.shard_size;
  // The Python tool writes 8.0 for 8; in JSON both are the same number.
  if (
    method === 'shards' ? !(Number.isSafeInteger(shardSize) && (shardSize as number) > 0) : shardSize != null
  )
    throw invalid(
      `shard_size: expected ${method === 'shards' ? 'a whole number from 1' : 'none'}, got ${shardSize}`,
    );
  const ignorePaths = json.ignore_paths == null ? undefined : listAt(json, 'ignore_paths', invalid);
  if (ignorePaths?.some((path) => typeof path !== 'string'))
    throw invalid('ignore_paths: expected texts, got something else');
  return {
    method,
    hashType: hashTypeFrom(textAt(json, 'hash_type', invalid)),
    ...(method === 'shards' ? { shardSize: shardSize as number } : {}),
    allowSymlinks,
    ...(ignorePaths ? { ignorePaths: ignorePaths as readonly string[] } : {}),
  };
}

/** A resource of a statement. The reference implementation's name for the hash of shards ends in `-sharded-N`. */
function resourceFrom(
  name: string,
  algorithm: string,
  digest: string,
  { method, hashType, shardSize }: Serialization,
): Resource {
  const path = method === 'shards' ? parseShardName(name)?.path : name;
  if (path === undefined) throw invalid(`resource '${name}': expected path:start:end, got something else`);
  const problem = path === '.' ? undefined : nameProblem(path);
  if (problem !== undefined)
    throw invalid(`resource '${name}': expected a path inside the model, but it ${problem}`);
  const accepted = [hashType, ...(method === 'shards' ? [`${hashType}-sharded-${shardSize}`] : [])];
  if (!accepted.includes(algorithm === 'blake2' ? 'blake2b' : algorithm))
    throw invalid(`resource '${name}': expected the algorithm ${hashType}, got '${algorithm}'`);
  return { name, algorithm, digest: digestFrom(name, digest, hashType) };
}

function digestFrom(name: string, digest: string, type: HashType): string {
  if (digest.length !== 2 * DIGEST_BYTES[type] || !/^[0-9a-fA-F]+$/.test(digest))
    throw invalid(
      `resource '${name}': expected a digest of ${DIGEST_BYTES[type]} bytes in hexadecimal, got another`,
    );
  return digest.toLowerCase();
}

function requireDistinct(resources: readonly Resource[]): void {
  if (resources.length === 0) throw invalid('resources: expected at least one, got none');
  const seen = new Set<string>();
  for (const { name } of resources) {
    if (seen.has(name)) throw invalid(`resource '${name}': expected it once, got it twice`);
    seen.add(name);
  }
}

function legacyManifest(subjects: readonly unknown[]): SignedManifest {
  const serialization: Serialization = { method: 'files', hashType: 'sha256', allowSymlinks: false };
  const resources = subjects.map((subject) => {
    if (!isObject(subject)) throw invalid(`subject: expected objects, got ${kindOf(subject)}`);
    const digest = textAt(objectAt(subject, 'digest', invalid), 'sha256', invalid);
    return resourceFrom(textAt(subject, 'name', invalid), 'sha256', digest, serialization);
  });
  requireDistinct(resources);
  return { manifest: { name: '', resources, serialization }, format: 'legacy' };
}

function invalid(problem: string, cause?: unknown): GlacisError {
  return new GlacisError('statement/invalid', `signed statement: ${problem}`, { cause });
}
