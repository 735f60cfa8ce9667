import { GlacisError } from '../core/error.ts';
import type { Limits } from './limits.ts';
import { type Problems, quoted } from './problems.ts';

/** What one reading of a file carries along: its limits, what it has used of them, and the problems found so far. */
export interface ReadContext {
  readonly limits: Limits;
  readonly problems: Problems;
  readonly used: { nodes: number; tensors: number; attributes: number; values: number; list: number };
  /** Bytes that sparse initializers have become so far. */
  denseBytes: number;
}

/** Counts `amount` of `what` against its limit; `depth` is compared as it is. Errors: `model/too-large`. */
export function bounded(
  context: ReadContext,
  what: keyof ReadContext['used'] | 'depth',
  amount: number,
): void {
  const limit = context.limits[what];
  let total = amount;
  if (what !== 'depth') {
    context.used[what] += amount;
    total = context.used[what];
  }
  if (total > limit) {
    const named =
      what === 'list' ? 'elements of lists' : what === 'depth' ? 'levels of graphs inside graphs' : what;
    throw new GlacisError(
      'model/too-large',
      `model: expected at most ${limit} ${named}, got more; raise limits.${what} if you trust the file`,
    );
  }
}

/** Notes a name that is longer than the limit. */
export function checkName(name: string, context: ReadContext, where: () => string): void {
  // Cheap first: UTF-8 takes at most three bytes for one UTF-16 unit.
  if (name.length * 3 <= context.limits.nameBytes) return;
  const bytes = Buffer.byteLength(name);
  if (bytes > context.limits.nameBytes) {
    context.problems.add(
      `${where()} ${quoted(name)}: expected a name of at most ${context.limits.nameBytes} bytes, got ${bytes}`,
    );
  }
}
