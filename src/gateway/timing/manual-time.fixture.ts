import type { Alarm } from './timer-wheel.ts';

/** A clock that stands still until it is told to go on, with its alarms. */
export function manualTime(): {
  readonly clock: () => number;
  readonly alarm: Alarm;
  /** Alarms that are set. */
  readonly alarms: () => number;
  /** Moves the clock without ringing: the process is busy. */
  readonly stall: (milliseconds: number) => void;
  /** Moves the clock, rings what is due on the way, lets promises settle. */
  readonly pass: (milliseconds: number) => Promise<void>;
} {
  let now = 1000.25;
  const set = new Map<object, { readonly at: number; readonly ring: () => void }>();
  return {
    clock: () => now,
    alarm: {
      set(milliseconds, ring) {
        const id = {};
        set.set(id, { at: now + milliseconds, ring });
        return { cancel: () => void set.delete(id) };
      },
    },
    alarms: () => set.size,
    stall(milliseconds) {
      now += milliseconds;
    },
    async pass(milliseconds) {
      const end = now + milliseconds;
      for (;;) {
        const [first] = [...set].sort(([, a], [, b]) => a.at - b.at);
        if (first === undefined || first[1].at > end) break;
        now = Math.max(now, first[1].at);
        set.delete(first[0]);
        first[1].ring();
        await Promise.resolve();
        await Promise.resolve();
      }
      now = Math.max(now, end);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}
