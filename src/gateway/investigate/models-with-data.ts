import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { GlacisError } from '../../core/error.ts';
import { evidenceBeside } from '../../policy/evidence/evidence-beside.ts';
import { recordPath } from '../../train/record.ts';
import {
  type BackendConfig,
  type RegistryConfig,
  type VersionConfig,
  versionsOf,
} from '../backend/config-schema.ts';
import type { ModelStatus } from '../backend/model-status.ts';

/** Bytes of a file of evidence, and files that are looked at. */
const MOST_BYTES = 64 << 20;
const MOST_FILES = 1000;

/** Where evidence about versions is. */
export interface EvidencePlaces {
  readonly config: Pick<BackendConfig, 'models'>;
  readonly status: readonly ModelStatus[];
  readonly placeOf: (path: string) => string;
  /** What a registry has about a digest of this model. */
  readonly inRegistry: (config: RegistryConfig, digest: string) => Promise<readonly Uint8Array[]>;
}

/**
 * Digests of the served versions whose evidence (provenance, training records, bills of materials: signed or not) names this digest of data. Errs on the side of finding too many: what somebody
 * must look at is not left out because its signature lapsed. Errors: `option/invalid` for no digest, those of a registry that cannot be read.
 */
export async function modelsWithData(
  data: string,
  { config, status, placeOf, inRegistry }: EvidencePlaces,
): Promise<readonly string[]> {
  const hex = /^(?:sha256:)?([0-9a-f]{64})$/.exec(data)?.[1];
  if (hex === undefined)
    throw new GlacisError(
      'option/invalid',
      'impact: expected a digest of data, sha256: and 64 hexadecimal digits',
    );
  const found = new Set<string>();
  for (const [name, model] of Object.entries(config.models))
    for (const [version, source] of versionsOf(model)) {
      const served = status
        .find((each) => each.model === name)
        ?.versions.find((each) => each.version === version);
      if (served === undefined) continue;
      const isNamed =
        (await isNamedIn(await filesAbout(source, placeOf), hex)) ||
        (source.registry !== undefined &&
          (await inRegistry(source.registry, served.digest)).some((bytes) =>
            names(Buffer.from(bytes).toString('utf8'), hex),
          ));
      if (isNamed) found.add(served.digest);
    }
  return [...found];
}

/** Files of evidence about a version: those of its gate or beside it, and the record that training left there. */
async function filesAbout(
  { file, check }: VersionConfig,
  placeOf: EvidencePlaces['placeOf'],
): Promise<readonly string[]> {
  const named = check?.gate?.evidence?.map(placeOf);
  const beside = file === undefined ? [] : await evidenceBeside(placeOf(file));
  const record = file === undefined ? [] : [recordPath(placeOf(file))];
  return filesIn([...(named ?? beside), ...record]);
}

async function isNamedIn(paths: readonly string[], hex: string): Promise<boolean> {
  for (const path of paths) {
    const text = await textOf(path);
    if (text !== undefined && names(text, hex)) return true;
  }
  return false;
}

async function filesIn(paths: readonly string[]): Promise<readonly string[]> {
  const files: string[] = [];
  for (const path of paths) {
    const isFolder = await stat(path).then(
      (each) => each.isDirectory(),
      () => false,
    );
    if (isFolder) files.push(...(await readdir(path)).sort().map((name) => join(path, name)));
    else files.push(path);
  }
  return files.slice(0, MOST_FILES);
}

/** Undefined for what is not there or too large. */
async function textOf(path: string): Promise<string | undefined> {
  const handle = await open(path).catch(() => undefined);
  try {
    const size = (await handle?.stat())?.size ?? 0;
    return size > MOST_BYTES ? undefined : await handle?.readFile('utf8');
  } catch {
    return undefined;
  } finally {
    await handle?.close();
  }
}

/** Whether a text, or the statement in its envelope, holds these digits. */
function names(text: string, hex: string): boolean {
  if (text.includes(hex)) return true;
  try {
    const { dsseEnvelope } = JSON.parse(text) as { dsseEnvelope?: { payload?: unknown } };
    const payload = dsseEnvelope?.payload;
    return typeof payload === 'string' && Buffer.from(payload, 'base64').includes(hex);
  } catch {
    return false;
  }
}
