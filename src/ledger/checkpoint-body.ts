import { HASH_BYTES } from './merkle.ts';

/** What a checkpoint says of a log: the tree's size and root under a name. */
export interface CheckpointBody {
  /** The log's name, e.g. `example.com/models`. */
  readonly origin: string;
  /** Leaves of the tree. */
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

/** The text of a checkpoint: three lines (C2SP tlog-checkpoint, "Note text"). Glacis writes no extension lines. */
export function formatCheckpoint({ origin, size, root }: CheckpointBody): string {
  return `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
}

/**
 * Reads the text of a checkpoint; `undefined` when it is none. Extension lines are allowed and not looked at, because
 * not every signature covers them. `text` is attacker-controlled and already known to be UTF-8 without control characters.
 */
export function readCheckpoint(text: Uint8Array): CheckpointBody | undefined {
  const lines = Buffer.from(text).toString('utf8').split('\n');
  const [origin = '', digits = '', base64 = '', ...rest] = lines;
  if (rest.pop() !== '' || rest.includes('') || origin === '') return undefined;
  const size = /^(0|[1-9]\d{0,15})$/.test(digits) ? Number(digits) : Number.NaN;
  const root = Buffer.from(base64, 'base64');
  if (!Number.isSafeInteger(size) || root.length !== HASH_BYTES || root.toString('base64') !== base64)
    return undefined;
  return { origin, size, root };
}
