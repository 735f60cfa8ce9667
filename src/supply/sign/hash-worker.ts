import { parentPort, workerData } from 'node:worker_threads';
import { asGlacisError } from '../../core/error.ts';
import { hashSteps, type Piece } from './hash-piece.ts';
import { type HashType, hasherMaker } from './hash-type.ts';

/** What the thread is started with: the hash function, and where it counts bytes. */
export interface HashWorkerData {
  readonly glacis: 'hash';
  readonly type: HashType;
  /** One 64-bit counter, shared. */
  readonly counter: SharedArrayBuffer;
}

/** A piece to hash, by number. */
export interface HashRequest {
  readonly id: number;
  readonly piece: Piece;
}

/** The digest of a piece, or the error. */
export type HashReply =
  | { readonly id: number; readonly hex: string }
  | { readonly id: number; readonly code: string; readonly message: string };

const data = workerData as HashWorkerData | null;
if (parentPort && data?.glacis === 'hash') {
  const port = parentPort;
  const counter = new BigUint64Array(data.counter);
  const make = hasherMaker(data.type);
  port.on('message', async ({ id, piece }: HashRequest) => {
    try {
      const maker = await make;
      const steps = hashSteps(piece, maker());
      let step = steps.next();
      for (; !step.done; step = steps.next()) Atomics.add(counter, 0, BigInt(step.value));
      port.postMessage({ id, hex: step.value } satisfies HashReply);
    } catch (thrown) {
      const { code, message } = asGlacisError(thrown, 'run/failed', 'hashing');
      port.postMessage({ id, code, message } satisfies HashReply);
    }
  });
}
