import { GlacisError } from '../core/error.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { LogReader } from './log-reader.ts';
import { parseNote, verifyNote } from './note.ts';
import type { NoteKey } from './note-key.ts';
import { formatRequest } from './witness.ts';

/** Sends a body and gives what was answered: at most 64 KiB of it. */
export type Post = (body: Uint8Array) => Promise<{ readonly status: number; readonly text: string }>;

/**
 * Asks a witness to cosign the newest checkpoint of a log (C2SP tlog-witness, `add-checkpoint`), and gives the checkpoint with its signatures
 * behind those of the log. `seen` is the size that the witness cosigned last, as far as is known; it says itself when that is another.
 *
 * What it answers is attacker-controlled. Errors: `endpoint/bad-answer`; `ledger/untrusted` for a signature that is not that of `keys`;
 * `ledger/forked` when it has seen a log that is longer than this one, or another.
 */
export async function askWitness(
  log: LogReader,
  post: Post,
  keys: readonly NoteKey[],
  seen = 0,
): Promise<{ readonly note: Uint8Array; readonly checkpoint: Checkpoint }> {
  const { checkpoint } = log;
  const { size, note, origin } = checkpoint;
  let old = Math.min(seen, size);
  for (let tries = 0; ; tries++) {
    const proof = await log.proveSince(old);
    const { status, text } = await post(formatRequest(old, proof, note));
    if (status === 409 && tries < 3 && /^\d{1,16}\n?$/.test(text)) {
      const known = Number(text);
      if (known > size)
        throw new GlacisError(
          'ledger/forked',
          `log ${origin}: expected a witness that saw at most ${size} entries, but it saw ${known}: this is an old state of the log`,
        );
      if (known === old)
        throw new GlacisError(
          'ledger/forked',
          `log ${origin}: the witness saw ${known} entries with another root: the log has two histories`,
        );
      old = known;
      continue;
    }
    if (status === 422)
      throw new GlacisError(
        'ledger/forked',
        `log ${origin}: the witness saw another history up to entry ${old - 1} than this log's`,
      );
    if (status !== 200)
      throw new GlacisError('endpoint/bad-answer', `witness: expected cosignatures, got status ${status}`);
    const cosigned = Buffer.concat([note, Buffer.from(text)]);
    const by = verifyNote(parseNote(cosigned, 'answer of the witness'), keys, 'answer of the witness');
    const missing = keys.filter((key) => !by.some((each) => each.key === key));
    if (missing.length > 0)
      throw new GlacisError(
        'ledger/untrusted',
        `answer of the witness: expected signatures of ${missing.map(({ name, id }) => `${name} (${id})`).join(' and ')}, got none`,
      );
    return { note: cosigned, checkpoint };
  }
}
