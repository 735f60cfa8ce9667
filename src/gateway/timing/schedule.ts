import type { Padding } from '../padding.ts';
import type { Schedule } from '../stages.ts';
import type { TimingConfig } from './config-schema.ts';
import { type Alarm, openTimerWheel, realAlarm } from './timer-wheel.ts';

const TICK = 1;
/** Longest wait: answers later than this were refused as late long before. */
const SLOTS = 1 << 16;
/** Milliseconds after its boundary at which an answer counts as late: more than timers are off by. */
const LATE = 2;
const PAD = 1024;

/** What {@link openTiming} needs beside its configuration. */
export interface TimingSurroundings {
  /** Milliseconds of a clock that only goes forward: the one that `arrived` is read from. */
  readonly clock: () => number;
  /** `overrun`: an answer missed the first boundary; `late`: it left more than 2 ms after its boundary, because the process was busy. For metrics. */
  readonly missed?: ((how: 'overrun' | 'late') => void) | undefined;
  /** The process's timers unless given. */
  readonly alarm?: Alarm | undefined;
}

/** What has left so far. */
export interface TimingFigures {
  readonly answers: number;
  readonly overruns: number;
  readonly late: number;
}

/** When answers leave and how long they are. */
export interface Timing extends Schedule, Padding {
  readonly figures: () => TimingFigures;
  /** Lets everybody go now. */
  close(): void;
}

/**
 * Fixed release times. An answer is due at its arrival plus the first boundary that it can still reach: `every`, then multiples of
 * it or 2, 4, 8 … times. So its time says which boundary it left at, and no more: at most log₂ of the number of boundaries in use,
 * in bits, with doubling log₂ log₂ of the longest time (Askarov, Zhang, Myers 2010, "Predictive black-box mitigation of timing
 * channels"). Boundaries count from the arrival and not from a common beat, because who asks knows when.
 *
 * What is left: answers that miss the first boundary (`overrun`), those that leave late because the process was busy, which a
 * caller can feel when another's call is worked on, and what a face does after the release (encoding, sending). Random delays are
 * no substitute: they average out. Cost: docs/timing.md.
 */
export function openTiming(config: TimingConfig, surroundings: TimingSurroundings): Timing {
  const { every, later } = config;
  const { clock, missed, alarm = realAlarm } = surroundings;
  const block = config.pad ?? (every === undefined ? 0 : PAD);
  let [answers, overruns, late] = [0, 0, 0];
  const wheel = every === undefined ? undefined : openTimerWheel({ tick: TICK, slots: SLOTS, clock, alarm });
  const left = (due: number) => {
    if (clock() - due <= TICK + LATE) return;
    late++;
    missed?.('late');
  };
  return {
    due(arrived) {
      if (every === undefined || wheel === undefined) return undefined;
      answers++;
      const elapsed = clock() - arrived;
      const boundary = boundaryAfter(elapsed, every, later);
      if (boundary > every) {
        overruns++;
        missed?.('overrun');
      }
      const due = arrived + boundary;
      return wheel.until(due).then(() => left(due));
    },
    padTo: (length) => (block === 0 ? length : Math.ceil(Math.max(1, length) / block) * block),
    figures: () => ({ answers, overruns, late }),
    close: () => wheel?.close(),
  };
}

/** The first boundary at or after `elapsed`. */
export function boundaryAfter(elapsed: number, every: number, later: TimingConfig['later']): number {
  if (elapsed <= every) return every;
  if (later === 'multiples') return every * Math.ceil(elapsed / every);
  // Powers of two by the exponent; the comparison mends the rounding of log2.
  const boundary = every * 2 ** Math.ceil(Math.log2(elapsed / every));
  return boundary < elapsed ? 2 * boundary : boundary;
}
