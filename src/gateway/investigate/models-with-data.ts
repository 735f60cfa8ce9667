import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { GlacisError } from '../../core/error.ts';
import { evidenceBeside } from '../../policy/evidence/evidence-beside.ts';
import { type BackendConfig, versionsOf } from '../backend/config-schema.ts';
import type { ModelStatus } from '../backend/model-status.ts';

/** Bytes of a file of evidence, and files that are looked at. */
const MOST_BYTES = 64 << 20;
const MOST_FILES = 1000;

/**
 * Digests of the served versions whose evidence (provenance, training records, bills of materials: signed or not) names this digest of data. Errs on the side of finding too many: what somebody
 * must look at is not left out because its signature lapsed. Errors: `option/invalid` for no digest.
 */
export async function modelsWithData(
  data: string,
  {
    config,
    status,
    placeOf,
  }: {
    readonly config: Pick<BackendConfig, 'models'>;
    readonly status: readonly ModelStatus[];
    readonly placeOf: (path: string) => string;
  },
): Promise<readonly string[]> {
  const hex = /^(?:sha256:)?([0-9a-f]{64})$/.exec(data)?.[1];
  if (hex === undefined)
    throw new GlacisError(
      'option/invalid',
      'impact: expected a digest of data, sha256: and 64 hexadecimal digits',
    );
  const found = new Set<string>();
  for (const [name, model] of Object.entries(config.models))
    for (const [version, { file, check }] of versionsOf(model)) {
      const served = status
        .find((each) => each.model === name)
        ?.versions.find((each) => each.version === version);
      if (served === undefined) continue;
      const named = check?.gate?.evidence?.map(placeOf);
      const paths = named ?? (file === undefined ? [] : await evidenceBeside(placeOf(file)));
      for (const path of await filesIn(paths))
        if (await names(path, hex)) {
          found.add(served.digest);
          break;
        }
    }
  return [...found];
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

/** Whether a file, or the statement in its envelope, holds these digits. */
async function names(path: string, hex: string): Promise<boolean> {
  const handle = await open(path).catch(() => undefined);
  try {
    const size = (await handle?.stat())?.size ?? 0;
    if (handle === undefined || size > MOST_BYTES) return false;
    const text = await handle.readFile('utf8');
    if (text.includes(hex)) return true;
    const { dsseEnvelope } = JSON.parse(text) as { dsseEnvelope?: { payload?: unknown } };
    const payload = dsseEnvelope?.payload;
    return typeof payload === 'string' && Buffer.from(payload, 'base64').includes(hex);
  } catch {
    return false;
  } finally {
    await handle?.close();
  }
}
