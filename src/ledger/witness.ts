import { GlacisError } from '../core/error.ts';
import { openCheckpoint } from './checkpoint.ts';
import { readCheckpoint } from './checkpoint-body.ts';
import { EMPTY_ROOT, HASH_BYTES, isConsistent, sameHash } from './merkle.ts';
import { cosignNote, MOST_NOTE_BYTES, parseNote } from './note.ts';
import { fromBase64, type NoteKey, type NoteSigner } from './note-key.ts';

/** What a witness remembers of a log: the newest state that it cosigned. */
export interface Witnessed {
  readonly size: number;
  readonly root: Uint8Array;
}

/** Where a witness remembers it. */
export interface WitnessMemory {
  /** Undefined for a log that was never cosigned. */
  get(origin: string): Promise<Witnessed | undefined>;
  /** Durable when this returns: a witness that forgets can be shown two histories. */
  put(origin: string, seen: Witnessed, note: Uint8Array): Promise<void>;
}

/** A witness of logs. */
export interface WitnessOptions {
  /** Keys for timed cosignatures, under the witness's own name. */
  readonly signers: readonly NoteSigner[];
  /** The logs that it watches: by origin, the keys that must have signed. */
  readonly logs: ReadonlyMap<string, readonly NoteKey[]>;
  readonly memory: WitnessMemory;
  readonly now: () => Date;
}

/** An answer of `add-checkpoint`. */
export interface WitnessAnswer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422;
  readonly type: string;
  readonly body: string;
}

/** Bytes of a request at most: a note, and 63 hashes. */
export const MOST_REQUEST_BYTES = MOST_NOTE_BYTES + (1 << 13);
const MOST_HASHES = 63;

/**
 * A witness (C2SP tlog-witness): cosigns a checkpoint when the log goes on from what it cosigned before, and never two histories of one log. Takes the body of an
 * `add-checkpoint` request and gives what to answer. Requests for one log are handled one after the other.
 * Errors: those of the memory; then nothing was cosigned.
 */
export function openWitness({ signers, logs, memory, now }: WitnessOptions): {
  addCheckpoint(body: Uint8Array): Promise<WitnessAnswer>;
} {
  const turns = new Map<string, Promise<unknown>>();
  return {
    async addCheckpoint(body) {
      const request = readRequest(body);
      if (request === undefined)
        return answer(400, 'expected old SIZE, a proof, an empty line and a checkpoint');
      const keys = logs.get(request.origin);
      if (keys === undefined) return answer(404, 'this witness does not watch that log');
      const before = turns.get(request.origin) ?? Promise.resolve();
      const work = before.then(() => decide(request, keys));
      turns.set(
        request.origin,
        work.catch(() => {}),
      );
      return work;
    },
  };

  async function decide(request: Request, keys: readonly NoteKey[]): Promise<WitnessAnswer> {
    const { origin, old, proof, note } = request;
    let size: number;
    let root: Uint8Array;
    try {
      ({ size, root } = openCheckpoint(note, { origin, keys }));
    } catch (thrown) {
      if (!(thrown instanceof GlacisError)) throw thrown;
      return answer(403, "expected the signatures of the log's keys");
    }
    if (old > size) return answer(400, 'expected an old size that is not above the new one');
    const seen = await memory.get(origin);
    const known = seen?.size ?? 0;
    if (old !== known) return conflict(known);
    if (seen !== undefined && size === known && !sameHash(seen.root, root)) return conflict(known);
    if (!isConsistent(old, size, seen?.root ?? EMPTY_ROOT, root, proof))
      return answer(422, 'the proof does not lead from the old state to the new one');
    // Remembered before the signature leaves: after a crash in between nothing was signed that is not remembered.
    await memory.put(origin, { size, root }, note);
    const cosigned = cosignNote(note, signers, Math.floor(now().getTime() / 1000));
    // The witness's own signatures are the last lines.
    const lines = Buffer.from(cosigned)
      .toString('utf8')
      .split('\n')
      .slice(-1 - signers.length, -1);
    return { status: 200, type: 'text/plain; charset=utf-8', body: `${lines.join('\n')}\n` };
  }
}

/** The body of an `add-checkpoint` request. */
export function formatRequest(old: number, proof: readonly Uint8Array[], note: Uint8Array): Buffer {
  const hashes = proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`).join('');
  return Buffer.concat([Buffer.from(`old ${old}\n${hashes}\n`), note]);
}

interface Request {
  readonly origin: string;
  readonly old: number;
  readonly proof: readonly Uint8Array[];
  readonly note: Uint8Array;
}

/** Reads a request; `body` is attacker-controlled. */
function readRequest(body: Uint8Array): Request | undefined {
  if (body.length > MOST_REQUEST_BYTES) return undefined;
  const buffer = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const split = buffer.indexOf('\n\n');
  if (split < 0) return undefined;
  const [first = '', ...lines] = buffer.toString('latin1', 0, split).split('\n');
  const digits = /^old (0|[1-9]\d{0,15})$/.exec(first)?.[1];
  if (digits === undefined || !Number.isSafeInteger(Number(digits)) || lines.length > MOST_HASHES)
    return undefined;
  const proof = lines.map(fromBase64);
  if (proof.some((hash) => hash?.length !== HASH_BYTES)) return undefined;
  const note = buffer.subarray(split + 2);
  try {
    const origin = readCheckpoint(parseNote(note).text)?.origin;
    return origin === undefined
      ? undefined
      : { origin, old: Number(digits), proof: proof as Uint8Array[], note };
  } catch {
    return undefined;
  }
}

function answer(status: WitnessAnswer['status'], body: string): WitnessAnswer {
  return { status, type: 'text/plain; charset=utf-8', body: `${body}\n` };
}

function conflict(size: number): WitnessAnswer {
  return { status: 409, type: 'text/x.tlog.size', body: `${size}\n` };
}
