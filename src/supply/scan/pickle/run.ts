import type { ByteSource } from '../../../data/byte-source.ts';
import type { Budget } from '../limits.ts';
import { arrayAfter } from './joblib.ts';
import { Judge } from './judge.ts';
import { PickleMachine } from './machine.ts';
import { codeOf } from './opcodes.ts';
import { PickleError } from './pickle-error.ts';
import { PickleReader } from './reader.ts';
import { PICKLE_RULES } from './rules.ts';
import type { Value } from './value.ts';

/** How a pickle went. */
export interface Outcome {
  /** Byte after its last opcode. */
  readonly end: number;
  /** Opcodes that were run. */
  readonly count: number;
  /** Why it broke off; `undefined` when it ended in STOP or at `most` opcodes. */
  readonly broken: string | undefined;
  readonly stopped: boolean;
  /** What it gives, where it stopped. */
  readonly result: Value | undefined;
}

/** What bounds a run. */
export interface RunOptions {
  /** Opcodes after which it is left. */
  readonly most?: number;
  /** The machine to go on with. */
  readonly machine?: PickleMachine;
  /** Byte at which it is left, though the stream goes on. */
  readonly end?: number;
  /** It is left as soon as anything was called or changed. */
  readonly untilActs?: boolean;
  /** Pickles inside this one's arrays. */
  readonly depth?: number;
}

const BUILD = codeOf('BUILD');
const MAX_DEPTH = 8;
/** Opcodes between two looks at the budget. */
const BATCH = 256;

/**
 * Runs one pickle from byte `start` and lets `judge` see what it does. Never throws for what the stream holds.
 * Errors: `scan/limit`, `run/cancelled`, and what reading the source throws.
 */
export async function runPickle(
  source: ByteSource,
  start: number,
  judge: Judge,
  budget: Budget,
  {
    most = Number.POSITIVE_INFINITY,
    machine = new PickleMachine(judge),
    end = Number.POSITIVE_INFINITY,
    untilActs = false,
    depth = 0,
  }: RunOptions = {},
): Promise<Outcome> {
  const reader = new PickleReader(source, start);
  const outcome = (how: Partial<Outcome>): Outcome => ({
    end: reader.position,
    count: machine.count,
    broken: undefined,
    stopped: false,
    result: undefined,
    ...how,
  });
  try {
    for (;;) {
      while (reader.next()) {
        if (machine.step(reader)) return outcome({ stopped: true, result: machine.result });
        if (machine.count % BATCH === 0) budget.step(BATCH);
        if (machine.count >= most || reader.position >= end || (untilActs && judge.acts > 0))
          return outcome({});
        if (reader.code === BUILD) {
          const array = await arrayOrOdd(source, reader.position, judge);
          if (array === 'pickle') {
            if (depth >= MAX_DEPTH) throw new PickleError('arrays of objects nested too deep');
            const begin = { depth: depth + 1, most: most - machine.count, untilActs };
            await checkObjectsBothWays(source, reader.position, machine, judge, budget, begin);
            const inner = await runPickle(source, reader.position, judge, budget, begin);
            if (!inner.stopped) return outcome({ broken: inner.broken, end: inner.end });
            reader.seek(inner.end);
          } else if (array !== undefined) {
            await checkBothWays(source, reader.position, array, machine, judge, budget);
            reader.seek(array);
          }
        }
      }
      await reader.fill();
    }
  } catch (thrown) {
    if (!(thrown instanceof PickleError)) throw thrown;
    return outcome({ broken: thrown.message });
  }
}

/** An array that joblib could not pass over is a fault there, and the stream goes on for every other unpickler. */
async function arrayOrOdd(source: ByteSource, position: number, judge: Judge) {
  try {
    return await arrayAfter(source, position, judge.built);
  } catch (thrown) {
    if (!(thrown instanceof PickleError)) throw thrown;
    judge.odd(thrown.message, position);
    return undefined;
  }
}

/**
 * joblib passes over an array's bytes; every other unpickler goes on reading them as opcodes. So they are run as well, from
 * the state that is reached, and may not do anything.
 */
async function checkBothWays(
  source: ByteSource,
  start: number,
  end: number,
  machine: PickleMachine,
  judge: Judge,
  budget: Budget,
): Promise<void> {
  // Numbers are hardly ever a row of opcodes that calls something; only then is the state copied.
  if (!(await mayCall(source, start, end, budget))) return;
  const other = new Judge(judge.setting);
  await runPickle(source, start, other, budget, {
    machine: machine.fork(other),
    end,
    most: machine.count + 1_000_000,
  });
  if (other.acts > 0)
    judge.notice(
      PICKLE_RULES.twoReadings,
      `bytes ${start} to ${end} are an array to joblib and opcodes to pickle`,
      start,
    );
}

/**
 * joblib begins a pickle of its own for an array of objects; every other unpickler goes on with the stack and memo that it has,
 * where an index stands for something else. Such a mixture names what nobody wrote, so only what is malicious for sure counts.
 */
async function checkObjectsBothWays(
  source: ByteSource,
  start: number,
  machine: PickleMachine,
  judge: Judge,
  budget: Budget,
  options: RunOptions,
): Promise<void> {
  const other = new Judge(judge.setting);
  await runPickle(source, start, other, budget, { ...options, machine: machine.fork(other) });
  const bad = other.verdicts().find(({ rule }) => rule.verdict === 'malicious');
  if (bad)
    judge.notice(PICKLE_RULES.twoReadings, `to pickle, the array of objects does this: ${bad.what}`, start);
}

const CALLS: ReadonlySet<number> = new Set(
  ['REDUCE', 'INST', 'OBJ', 'NEWOBJ', 'NEWOBJ_EX', 'BUILD', 'SETITEM', 'SETITEMS', 'APPENDS', 'ADDITEMS'].map(
    codeOf,
  ),
);

async function mayCall(source: ByteSource, start: number, end: number, budget: Budget): Promise<boolean> {
  const reader = new PickleReader(source, start);
  try {
    for (;;) {
      while (reader.next()) {
        budget.step();
        if (CALLS.has(reader.code)) return true;
        if (reader.position >= end) return false;
      }
      await reader.fill();
    }
  } catch (thrown) {
    if (!(thrown instanceof PickleError)) throw thrown;
    return false;
  }
}
