import {
  type Answered,
  answersOf,
  type CopyOptions,
  trainCopy,
} from '../../../src/attack/extraction/copy.ts';
import { randomFrom } from '../../../src/core/random.ts';
import { clopperPearson } from '../../../src/core/statistics/clopper-pearson.ts';
import type { Engine } from '../../../src/runtime/engine.ts';
import { planRecipe } from '../../../src/train/index.ts';
import { DIGIT, digits, moved, naturalPictures } from './pictures.ts';
import type { Victim } from './victim.ts';

/** Digits that copies are compared on: the last of the test part, which no thief has. */
export const COMPARED = 2000;

/** The most that a thief asks. */
export const MOST = 60_000;

/** What a thief has. */
export type Pool = 'digits' | 'natural';

/** The thief's pictures, `[60000, 784]`; none of them was trained on by the victim's owner. The same for the same seed, made when they are first asked for. */
export function poolsOf(): (pool: Pool) => Float32Array {
  const rng = randomFrom(20_261_121, 'steal');
  const made: Partial<Record<Pool, Float32Array>> = {};
  const make = {
    /** 8,000 digits of the test part, and copies of them turned and shifted like another scanner's. */
    digits() {
      const test = digits('t10k');
      const own = test.n - COMPARED;
      const x = new Float32Array(MOST * DIGIT);
      x.set(test.x.subarray(0, own * DIGIT));
      for (let i = own; i < MOST; i++) {
        const move = {
          turn: 0.2 * rng.normal(),
          zoom: 1 + 0.1 * rng.normal(),
          right: rng.normal(),
          down: rng.normal(),
        };
        moved(test.x, i % own, move, x.subarray(i * DIGIT, (i + 1) * DIGIT));
      }
      return x;
    },
    /** 10,000 natural pictures, and copies of them turned, zoomed, shifted or as negatives. */
    natural() {
      const { n, x: pictures } = naturalPictures();
      const x = new Float32Array(MOST * DIGIT);
      x.set(pictures);
      for (let i = n; i < MOST; i++) {
        const to = x.subarray(i * DIGIT, (i + 1) * DIGIT);
        const move = {
          turn: 3 * rng.normal(),
          zoom: 1 + rng.uniform(),
          right: 4 * rng.normal(),
          down: 4 * rng.normal(),
        };
        moved(pictures, i % n, move, to);
        if (rng.integer(2)) for (let p = 0; p < DIGIT; p++) to[p] = 1 - to[p]!;
      }
      return x;
    },
  };
  return (pool) => {
    made[pool] ??= make[pool]();
    return made[pool];
  };
}

/** How a copy of `queries` answers is trained. */
export function copyOptions(engine: Engine, queries: number): Omit<CopyOptions, 'sampleDims' | 'classes'> {
  return {
    engine,
    recipe: planRecipe('cnn(channels=16 32, hidden=64)'),
    steps: queries <= 3000 ? 600 : 1000,
    epochs: 60,
    batch: 64,
    rate: 3e-3,
    seed: 7,
  };
}

/** What a copy is worth. */
export interface Judged {
  /** Share of the compared digits on which copy and victim agree, with its 95 % interval. */
  readonly fidelity: number;
  readonly interval: readonly [number, number];
  readonly accuracy: number;
}

/** What {@link openJudge} gives. */
export interface Judge {
  readonly victim: { readonly accuracy: number; readonly compared: number };
  /** Trains a copy on what was answered, and compares it. Errors: those of training. */
  judge(answered: Answered, queries: number): Promise<Judged>;
}

/** Compares copies with the victim on digits that nobody else has seen. */
export async function openJudge(engine: Engine, victim: Victim): Promise<Judge> {
  const test = digits('t10k');
  const own = test.n - COMPARED;
  const compared = test.x.slice(own * DIGIT);
  const truth = test.y.slice(own);
  const said = tops((await victim.look(compared, COMPARED)).scores);
  return {
    victim: { accuracy: share(said, truth), compared: COMPARED },
    async judge(answered, queries) {
      const sampleDims = [1, 28, 28];
      const copy = await trainCopy(answered, { ...copyOptions(engine, queries), sampleDims, classes: 10 });
      const copied = tops(await answersOf(engine, copy, compared, sampleDims));
      const fidelity = share(copied, said);
      const interval = clopperPearson(Math.round(fidelity * COMPARED), COMPARED);
      return { fidelity, interval, accuracy: share(copied, truth) };
    },
  };
}

function tops(scores: Float32Array): Uint8Array {
  return Uint8Array.from({ length: scores.length / 10 }, (_, i) => {
    const row = scores.subarray(i * 10, (i + 1) * 10);
    return row.indexOf(Math.max(...row));
  });
}

function share(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((same, v, i) => same + (v === b[i] ? 1 : 0), 0) / a.length;
}
