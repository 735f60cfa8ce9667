import { setTimeout as sleep } from 'node:timers/promises';
import { GlacisError } from '../../core/error.ts';
import type { Progress } from '../../core/progress.ts';
import type { Ask } from '../signs/ask.ts';
import { type Desk, expectJson } from './desk.ts';
import { picture } from './drill-traffic.ts';

/** One step of a rehearsal, with what shows that it worked. */
export interface DrillStep {
  readonly step: string;
  readonly ok: boolean;
  readonly proof: string;
  /** Milliseconds. */
  readonly took: number;
  /** Of the containment: milliseconds from the first bad query to the first measure in force, and questions of the attacker until then. */
  readonly containedAfter?: number | undefined;
  readonly queries?: number | undefined;
}

/** What is rehearsed with: a gateway with two versions of `signs`, of which the first is in service. */
export interface Rehearsal {
  readonly rest: string;
  /** The person on duty, a second one, and the first again with another key. */
  readonly desk: Desk;
  readonly second: Desk;
  readonly sameAgain: Desk;
  /** A new key of somebody, and its id; of the tenant `drill` unless another is said. */
  readonly keyed: (
    principal: string,
    tenant?: string,
  ) => Promise<{ readonly text: string; readonly id: string }>;
  readonly switchTo: (version: string) => Promise<unknown>;
  /** The log's trust file, as somebody else keeps it. */
  readonly trust: Uint8Array;
  /** Where the evidence is left. */
  readonly keepAt?: string | undefined;
  readonly seed: number;
  readonly told: (step: DrillStep) => void;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** What the parts of a rehearsal share. */
export interface Stage extends Rehearsal {
  readonly get: <T>(path: string) => Promise<T>;
  /** By the person on duty, unless another is said. */
  readonly post: <T>(path: string, body: object, who?: Desk) => Promise<T>;
  /** Tells a step that worked, and how long it took since the one before. */
  readonly done: (step: string, proof: string, more?: Partial<DrillStep>) => void;
  /** Tells a step that did not work, and ends the rehearsal, unless `holds`. */
  readonly must: (step: string, holds: boolean, otherwise: string) => void;
  /** Half one sign and half another: no model is sure of it, so that scores can be told from labels. */
  readonly doubtful: (i: number) => Float32Array;
  /** Whether somebody is told more than the class: a score between 0 and 1. */
  readonly hearsScores: (ask: Ask) => Promise<boolean>;
}

/** How long something may take that happens by itself, in milliseconds. */
const PATIENCE = 60_000;

/** The stage for what is given; {@link Stage.must} throws an {@link Ended}. */
export function stageFor(given: Rehearsal): Stage {
  const { desk, told, seed } = given;
  let started = performance.now();
  const doubtful = (i: number): Float32Array => {
    const other = picture(seed, 2 * i + 2).x;
    return picture(seed, 2 * i + 1).x.map((value, k) => (value + other[k]!) / 2);
  };
  return {
    ...given,
    ...{ doubtful },
    get: <T>(path: string) => expectJson<T>(desk, 'GET', path),
    post: <T>(path: string, body: object, who = desk) => expectJson<T>(who, 'POST', path, body),
    done(step, proof, more = {}) {
      told({ step, ok: true, proof, took: performance.now() - started, ...more });
      started = performance.now();
    },
    must(step, holds, otherwise) {
      if (holds) return;
      told({ step, ok: false, proof: otherwise, took: performance.now() - started });
      throw new Ended();
    },
    async hearsScores(ask) {
      for (let i = 0; i < 8; i++) {
        const { scores } = await ask(doubtful(i), 1);
        if (scores?.some((score) => score > 0 && score < 1)) return true;
      }
      return false;
    },
  };
}

/** A rehearsal ended at a step that did not work, which was told. */
export class Ended extends Error {}

/** Asks until there is something; undefined when it takes too long, or nothing is to be waited for (null). */
export async function until<T>(
  signal: AbortSignal,
  look: () => Promise<T | undefined | null>,
  patience = PATIENCE,
): Promise<T | undefined> {
  const end = performance.now() + patience;
  while (performance.now() < end) {
    if (signal.aborted) throw new GlacisError('run/cancelled', 'drill: cancelled', { cause: signal.reason });
    const found = await look();
    if (found === null) return undefined;
    if (found !== undefined) return found;
    await sleep(50, undefined, { signal });
  }
  return undefined;
}
