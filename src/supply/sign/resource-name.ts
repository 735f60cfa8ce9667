/** Orders names by Unicode code points, as OMS v1.0 (section 6.4) sorts resources. */
export function byCodePoints(a: string, b: string): number {
  // UTF-16, which strings compare by, disagrees only where a surrogate meets a character from U+E000 on; UTF-8 never does.
  if (SURROGATE.test(a) || SURROGATE.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

const SURROGATE = /[\ud800-\udfff]/;

/**
 * Why `name` may not name a file of a model, or `undefined` when it may: relative, `/` between steps, no empty step, no `.` and no
 * `..` (OMS v1.0, section 6.1.2). `name` is attacker-controlled.
 */
export function nameProblem(name: string): string | undefined {
  if (name === '') return 'is empty';
  if (!name.isWellFormed() || name.includes('\0')) return 'holds characters that no file name may hold';
  if (name.startsWith('/') || /^[A-Za-z]:[\\/]/.test(name)) return 'is absolute';
  const steps = name.split('/');
  if (steps.includes('..')) return 'leads out of the model with ".."';
  if (steps.includes('') || steps.includes('.')) return 'is not in its shortest form';
  return undefined;
}

/** A part of a file: `path:start:end`, bytes from `start` up to and without `end`. */
export interface ShardName {
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

/** The name of a shard as a resource has it. */
export function shardName({ path, start, end }: ShardName): string {
  return `${path}:${start}:${end}`;
}

/** Takes a shard's name apart; `undefined` when it is none. The last two colons count, because a file's name may hold some. */
export function parseShardName(name: string): ShardName | undefined {
  const match = /^([\s\S]+):(\d{1,16}):(\d{1,16})$/.exec(name);
  if (!match) return undefined;
  const [start, end] = [Number(match[2]), Number(match[3])];
  return Number.isSafeInteger(end) && start < end ? { path: match[1]!, start, end } : undefined;
}
