import { GlacisError } from '../core/error.ts';
import type { Limits } from './limits.ts';
import type { Problems } from './problems.ts';

/** What one reading of a file carries along: its limits, what it has used of them, and the problems found so far. */
export interface ReadContext {
  readonly limits: Limits;
  readonly problems: Problems;
  readonly used: { nodes: number; tensors: number; attributes: number; values: number };
  /** Bytes that sparse initializers have become so far. */
  denseBytes: number;
}

/** Counts `amount` of `what` against its limit. Errors: `model/too-large`. */
export function bounded(
  context: ReadContext,
  what: keyof ReadContext['used'] | 'list' | 'depth',
  amount: number,
): void {
  const limit = context.limits[what];
  let total = amount;
  if (what !== 'list' && what !== 'depth') {
    context.used[what] += amount;
    total = context.used[what];
  }
  if (total > limit) {
    const named =
      what === 'list' ? 'elements in one list' : what === 'depth' ? 'levels of graphs inside graphs' : what;
    throw new GlacisError(
      'model/too-large',
      `model: expected at most ${limit} ${named}, got more; raise limits.${what} if you trust the file`,
    );
  }
}
