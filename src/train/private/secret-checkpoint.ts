import { open, rm } from 'node:fs/promises';
import { GlacisError } from '../../core/error.ts';
import { type Checkpoint, type RunIdentity, readCheckpoint, writeCheckpoint } from '../checkpoint.ts';
import type { TrainingState } from '../state.ts';
import { KEY_BYTES } from './random/key-stream.ts';

/** Rights of the file: its owner may read and write, nobody else may anything. */
const OWNER_ONLY = 0o600;

/** A checkpoint with the key of the run's random stream. */
export interface SecretCheckpoint extends Omit<Checkpoint, 'states'> {
  readonly state: TrainingState;
  readonly key: Uint8Array;
}

/** Writes it, readable by its owner only. Errors: `output/unwritable`. */
export async function writeSecretCheckpoint(
  path: string,
  { state, key, ...rest }: SecretCheckpoint,
): Promise<void> {
  const bytes = Float32Array.from(key);
  try {
    const states = new Map([
      ['now', state],
      ['secret', new Map([['key', bytes]])],
    ]);
    await writeCheckpoint(path, { ...rest, states }, { mode: OWNER_ONLY });
  } finally {
    bytes.fill(0);
  }
}

/** Reads the checkpoint of the run of this identity; `undefined` where there is none. Errors: as `readCheckpoint`. */
export async function readSecretCheckpoint(
  path: string,
  identity: RunIdentity,
): Promise<SecretCheckpoint | undefined> {
  const found = await readCheckpoint(path, identity);
  if (!found) return undefined;
  const { states, ...rest } = found;
  const state = states.get('now');
  const bytes = states.get('secret')?.get('key');
  const isKey = bytes?.length === KEY_BYTES && bytes.every((b) => Number.isInteger(b) && b >= 0 && b < 256);
  if (!state || !isKey)
    throw new GlacisError(
      'result/invalid',
      `${path}: expected the checkpoint of a private run with its key, got none`,
    );
  const key = Uint8Array.from(bytes!);
  bytes!.fill(0);
  return { ...rest, state, key };
}

/**
 * Overwrites the file with zeros and deletes it. What the disk itself keeps of it (copies of journalling file systems, worn cells of
 * flash memory, files that earlier checkpoints were in) is beyond reach. Errors: `output/unwritable`.
 */
export async function destroyCheckpoint(path: string): Promise<void> {
  try {
    const file = await open(path, 'r+');
    try {
      const { size } = await file.stat();
      const zeros = new Uint8Array(1 << 16);
      for (let at = 0; at < size; at += zeros.length)
        await file.write(zeros, 0, Math.min(zeros.length, size - at), at);
      await file.sync();
    } finally {
      await file.close();
    }
    await rm(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw new GlacisError('output/unwritable', `${path}: the key in it could not be erased`, {
      cause: error,
    });
  }
}
