import { throwIfCancelled } from '../../core/cancel.ts';
import { GlacisError } from '../../core/error.ts';

/** What one file, with everything nested in it, may cost. Past any of these it is unreadable, never clean. */
export interface ScanLimits {
  /** Containers inside containers. */
  readonly depth: number;
  /** Members of all containers. */
  readonly entries: number;
  /** Bytes that come out of all decompression. */
  readonly unpackedBytes: number;
  /** Most bytes out for one byte in, once more than {@link ratioFrom} came out. */
  readonly ratio: number;
  readonly ratioFrom: number;
  /** Bytes that one read may ask for. */
  readonly readBytes: number;
  /** Steps of all parsers (see {@link Budget.step}). */
  readonly steps: number;
  /** Seconds. */
  readonly seconds: number;
  /** Findings that are kept of one file. */
  readonly findings: number;
}

/** The limits that hold where nothing else is said. */
export const DEFAULT_SCAN_LIMITS: ScanLimits = {
  depth: 12,
  entries: 200_000,
  unpackedBytes: 32 * 2 ** 30,
  ratio: 100,
  ratioFrom: 2 ** 28,
  readBytes: 32 * 2 ** 20,
  steps: 200_000_000,
  seconds: 600,
  findings: 1000,
};

/** What one file may still cost; shared by every scanner and container that works on it. */
export interface Budget {
  readonly limits: ScanLimits;
  /**
   * Counts work in a loop that an attacker sizes: call it once per opcode, entry or node. Looks at the clock and at
   * cancellation now and then.
   * Errors: `scan/limit`, `run/cancelled`.
   */
  step(count?: number): void;
  /** Counts members of a container. Errors: `scan/limit`. */
  entries(count: number): void;
  /** Counts bytes that decompression gave. Errors: `scan/limit`. */
  unpacked(bytes: number): void;
}

const LOOK_EVERY = 4096;

/** A budget that begins now. `now` is a clock in milliseconds. */
export function newBudget(limits: ScanLimits, now: () => number, signal?: AbortSignal): Budget {
  const end = now() + 1000 * limits.seconds;
  const used = { steps: 0, entries: 0, unpacked: 0 };
  let untilLook = 0;
  const spend = (what: keyof typeof used, count: number, limit: number, unit: string) => {
    used[what] += count;
    if (used[what] > limit)
      throw new GlacisError('scan/limit', `expected at most ${limit} ${unit} in one file, got more`);
  };
  return {
    limits,
    step(count = 1) {
      spend('steps', count, limits.steps, 'steps of parsing');
      untilLook -= count;
      if (untilLook > 0) return;
      untilLook = LOOK_EVERY;
      throwIfCancelled(signal, 'scan');
      if (now() > end)
        throw new GlacisError('scan/limit', `expected at most ${limits.seconds} seconds for one file`);
    },
    entries: (count) => spend('entries', count, limits.entries, 'members of containers'),
    unpacked: (bytes) => spend('unpacked', bytes, limits.unpackedBytes, 'bytes out of decompression'),
  };
}
