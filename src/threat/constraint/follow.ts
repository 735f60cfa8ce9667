import { ceilFloat32, floorFloat32 } from './float32.ts';
import { type Levels, levelNear } from './levels.ts';
import type { Region } from './region.ts';

/** An equation or inequality of some elements of a row. */
export interface Condition {
  /** Its elements; those in front are the first to follow the others. */
  readonly at: readonly number[];
  holds(x: Float32Array): boolean;
  /** The value of element `i` with which it holds, the others staying as they are; it may be no finite number. */
  wanted(x: Float32Array, i: number): number;
}

/**
 * Lets one element of each condition that does not hold follow the others: the first that the region leaves free and with which the condition then holds,
 * on its level where it has levels. Twice, because an element that followed may belong to several. Where none helps, nothing changes.
 */
export function follow(
  conditions: readonly Condition[],
  row: Float32Array,
  { clean, low, high }: Region,
  levels: readonly (Levels | undefined)[],
): void {
  for (const condition of [...conditions, ...conditions]) {
    if (condition.holds(row)) continue;
    for (const i of condition.at) {
      if (low[i] === high[i]) continue;
      const wanted = condition.wanted(row, i);
      if (!Number.isFinite(wanted)) continue;
      const before = row[i]!;
      const own = levels[i];
      row[i] = own
        ? levelNear(own, wanted, clean[i]!, low[i]!, high[i]!)
        : Math.min(floorFloat32(high[i]!), Math.max(ceilFloat32(low[i]!), wanted));
      if (condition.holds(row)) break;
      row[i] = before;
    }
  }
}
