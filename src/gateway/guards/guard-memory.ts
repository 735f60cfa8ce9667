import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { GlacisError } from '../../core/error.ts';
import { writeAtomically } from '../../data/atomic-write.ts';
import type { InputGuard } from '../guard.ts';

/** Keeps what the guards of one model remember of callers over a restart. */
export interface GuardMemory {
  /** For `GuardSetting.remembered`. Errors: `data/unreadable`, `data/too-large`: a memory that is there and cannot be read is not taken for none. */
  remembered(guard: string): Uint8Array | undefined;
  /**
   * Writes what each guard remembers now, each file whole or not at all, readable by their owner alone. Taking the snapshots blocks for some ten milliseconds. Call it from time to time and
   * at the end: what was seen since the last call is lost in a crash. Errors: `output/unwritable`.
   */
  save(guards: readonly InputGuard[]): Promise<void>;
}

/** Most bytes of one guard's memory. */
const MOST = 2 ** 30;

/**
 * The memory of the guards of the model with this root digest, in files of `folder`, which is made where it is not there. Another model's is another: what was asked of one says nothing of the
 * other's boundary. Errors: `output/unwritable`.
 */
export function openGuardMemory(folder: string, digest: string): GuardMemory {
  const name = /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1];
  if (name === undefined)
    throw new GlacisError('option/invalid', 'guard memory: expected a digest sha256:…, got something else');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new GlacisError('output/unwritable', `${folder}: expected a folder that can be made`, { cause });
  }
  const pathOf = (guard: string) => {
    if (!/^[a-z][a-z0-9-]{0,63}$/.test(guard))
      throw new GlacisError(
        'option/invalid',
        'guard memory: expected the name of a guard, got something else',
      );
    return join(folder, `${name}-${guard}.state`);
  };
  return {
    remembered(guard) {
      const path = pathOf(guard);
      try {
        const { size } = statSync(path);
        if (size > MOST)
          throw new GlacisError('data/too-large', `${path}: expected at most ${MOST} bytes, got ${size}`);
        return readFileSync(path);
      } catch (thrown) {
        if (thrown instanceof GlacisError) throw thrown;
        if ((thrown as { readonly code?: unknown }).code === 'ENOENT') return undefined;
        throw new GlacisError(
          'data/unreadable',
          `${path}: expected what the guard kept, which cannot be read`,
          {
            cause: thrown,
          },
        );
      }
    },
    async save(guards) {
      for (const guard of guards) {
        const bytes = guard.snapshot?.();
        if (bytes) await writeAtomically(pathOf(guard.name), (write) => write(bytes), { mode: 0o600 });
      }
    },
  };
}
