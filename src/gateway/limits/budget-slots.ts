import { GlacisError } from '../../core/error.ts';

/** What was taken in one step of a window: from, to (not itself), queries. Times are those of the budget clock. */
export type Slot = readonly [from: number, to: number, taken: number];

/** Steps of a window. */
const STEPS = 28;

/** Where in time a budget is: the step that lasts now. */
export interface Step {
  readonly from: number;
  readonly to: number;
}

/** The step of a window of `window` milliseconds that `time` lies in. The same for every gateway. */
export function stepAt(time: number, window: number): Step {
  const length = Math.ceil(window / STEPS);
  const from = Math.floor(time / length) * length;
  return { from, to: from + length };
}

/**
 * The slots that still count at `time`. Sound because a slot counts until its last moment has left the window: what is taken in any span of
 * the window's length lies in slots that counted together when the last of it was taken.
 */
export function counting(slots: readonly Slot[], time: number, window: number): readonly Slot[] {
  return slots.filter(([, to]) => to > time - window);
}

/** Queries in slots. */
export function sumOf(slots: readonly Slot[]): number {
  return slots.reduce((sum, [, , taken]) => sum + taken, 0);
}

/** Slots with `n` more (or fewer, but never below nothing) taken in the step `at`. What is given back to a step that is gone is lost. */
export function withTaken(slots: readonly Slot[], at: Step, n: number): readonly Slot[] {
  const i = slots.findIndex(([from, to]) => from === at.from && to === at.to);
  if (i < 0) return n > 0 ? [...slots, [at.from, at.to, n]] : slots;
  const [from, to, taken] = slots[i]!;
  return slots.with(i, [from, to, Math.max(0, taken + n)]);
}

/** Reads what {@link writeSlots} wrote. Errors: `store/unusable`. */
export function readSlots(text: string): readonly Slot[] {
  const slots: unknown = JSON.parse(text);
  const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  if (
    !Array.isArray(slots) ||
    !slots.every(
      (slot) => Array.isArray(slot) && slot.length === 3 && slot.every(isCount) && slot[0] < slot[1],
    )
  )
    throw new GlacisError('store/unusable', 'budgets: expected a list of slots in the store');
  return slots as Slot[];
}

/** Slots as the store keeps them. */
export function writeSlots(slots: readonly Slot[]): string {
  return JSON.stringify(slots);
}
