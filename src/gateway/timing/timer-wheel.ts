/** Something that wakes its caller once, later. */
export interface Alarm {
  /** Calls `ring` once, `milliseconds` from now or a little later. */
  set(milliseconds: number, ring: () => void): { cancel(): void };
}

/** Wakes many at the times they ask for, with one timer. */
export interface TimerWheel {
  /** Resolves at the first tick at or after `due` (milliseconds of the clock), never before; a time beyond the wheel is the wheel's last tick. */
  until(due: number): Promise<void>;
  /** Ticks that somebody waits for. */
  readonly occupied: number;
  /** Wakes everybody now. */
  close(): void;
}

/** Empty ticks that are passed at once; then the wheel rests and goes on from there. */
const HORIZON = 256;

interface Slot {
  readonly tick: number;
  readonly promise: Promise<void>;
  readonly wake: () => void;
}

/**
 * A wheel of `slots` ticks of `tick` milliseconds (Varghese, Lauck 1987, "Hashed and hierarchical timing wheels"). All who wait
 * for the same tick share one promise, so memory is bounded by the slots, whoever asks and however many. Asking costs O(1), waking
 * too: it passes at most 256 empty ticks.
 */
export function openTimerWheel(options: {
  readonly tick: number;
  readonly slots: number;
  readonly clock: () => number;
  readonly alarm: Alarm;
}): TimerWheel {
  const { tick, slots, clock, alarm } = options;
  const ring: (Slot | undefined)[] = new Array(slots).fill(undefined);
  let occupied = 0;
  /** The tick that the alarm is set for; nobody waits for an earlier one. */
  let next = Number.POSITIVE_INFINITY;
  let set: { cancel(): void } | undefined;
  let closed = false;

  const aim = (at: number) => {
    set?.cancel();
    next = at;
    set = alarm.set(Math.max(0, at * tick - clock()), wake);
  };
  const wake = () => {
    set = undefined;
    const now = Math.floor(clock() / tick);
    for (let at = next; occupied > 0; at++) {
      const slot = ring[at % slots];
      const isThere = slot !== undefined && slot.tick === at;
      if (at > now && (isThere || at > now + HORIZON)) return aim(at);
      if (!isThere) continue;
      ring[at % slots] = undefined;
      occupied--;
      slot.wake();
    }
    next = Number.POSITIVE_INFINITY;
  };

  return {
    get occupied() {
      return occupied;
    },
    until(due) {
      if (closed) return Promise.resolve();
      const now = clock() / tick;
      const wanted = Math.max(Math.ceil(due / tick), Math.floor(now));
      const at = Math.min(wanted, Math.floor(now) + slots - 1);
      const there = ring[at % slots];
      if (there !== undefined && there.tick === at) return there.promise;
      if (there !== undefined) {
        // An older tick that the alarm has not come round to yet: it is due.
        ring[at % slots] = undefined;
        occupied--;
        there.wake();
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      ring[at % slots] = { tick: at, promise, wake: resolve };
      occupied++;
      if (at < next) aim(at);
      return promise;
    },
    close() {
      closed = true;
      set?.cancel();
      for (const slot of ring) slot?.wake();
      ring.fill(undefined);
      occupied = 0;
    },
  };
}

/** The process's own timers. They keep the process alive: somebody waits for an answer. */
export const realAlarm: Alarm = {
  set(milliseconds, ring) {
    const timer = setTimeout(ring, Math.ceil(milliseconds));
    return { cancel: () => clearTimeout(timer) };
  },
};
