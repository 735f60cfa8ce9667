import { planAttack } from '../../../src/attack/registry.ts';
import { parseSpecs } from '../../../src/core/options.ts';
import { silent } from '../../../src/core/progress.ts';
import { type Rng, randomFrom } from '../../../src/core/random.ts';
import { classificationGoal } from '../../../src/threat/goal.ts';
import { imageDimsOf } from '../../../src/threat/image-dims.ts';
import { distance, type Norm } from '../../../src/threat/norm.ts';
import { DIGIT, moved, noisy } from './pictures.ts';
import type { Victim } from './victim.ts';

/** Queries of an attacker in order, with what the model makes of them. */
export interface Trace {
  readonly n: number;
  readonly x: Float32Array;
  readonly scores: Float32Array;
  readonly features: Float32Array;
  /** Queries after which the attack had what it wanted; infinite where it never had. */
  readonly needed: number;
}

/** How an attacker who knows of the guard changes each query before it is sent. The attack works with the answer to what was sent. */
export type Blinding = 'none' | 'noise 0.1' | 'noise 0.3' | 'moved';

/** An attack as an oracle's client. */
export interface AttackCase {
  readonly name: string;
  readonly spec: string;
  readonly norm: Norm;
  readonly eps: number;
  readonly blinding?: Blinding;
}

/** Requests of an attack hold so many samples at most. */
const BATCH = 32;

/** Runs an attack on one sample with nobody in its way, and keeps every query. */
export async function traceAttack(
  victim: Victim,
  { spec, norm, eps, blinding = 'none' }: AttackCase,
  x0: Float32Array,
  label: number,
  most: number,
  seed: number,
): Promise<Trace> {
  const [parsed] = parseSpecs(spec);
  const { attack, options } = planAttack({ ...parsed!, options: { ...parsed!.options, queries: most } });
  const sent: Float32Array[] = [];
  const { classes } = victim;
  const goal = classificationGoal(Int32Array.of(label), classes);
  let needed = Number.POSITIVE_INFINITY;
  const blind = blinder(blinding, randomFrom(seed, 'blinding', spec));
  const said: Float32Array[] = [];
  const seen: Float32Array[] = [];
  await attack.run({
    target: undefined,
    oracle: {
      sampleDims: victim.target.sampleDims,
      classes,
      batch: BATCH,
      parallel: 1,
      close: async () => {},
      async ask(points, n) {
        const x = points.slice(0, n * DIGIT);
        for (let i = 0; i < n; i++) blind(x.subarray(i * DIGIT, (i + 1) * DIGIT));
        const { scores, features } = await victim.look(x, n);
        for (let i = 0; i < n; i++) {
          const near =
            distance(norm, points.subarray(i * DIGIT, (i + 1) * DIGIT), x0, 0, DIGIT) <= eps * (1 + 1e-5);
          if (near && goal.reached(0, scores, i * classes)) needed = Math.min(needed, sent.length + 1);
          sent.push(x.subarray(i * DIGIT, (i + 1) * DIGIT));
        }
        said.push(scores);
        seen.push(features);
        return scores;
      },
    },
    queries: { forward: 0, gradient: 0 },
    goal,
    ball: { norm, eps, bounds: [0, 1] },
    image: imageDimsOf(victim.target.sampleDims),
    x0,
    x: x0.slice(),
    parameters: new Float32Array(0),
    todo: [0],
    options,
    batch: BATCH,
    rng: (_sample, ...keys) => randomFrom(seed, attack.id, ...keys),
    progress: silent,
  });
  return { n: sent.length, x: joined(sent), scores: joined(said), features: joined(seen), needed };
}

function blinder(blinding: Blinding, rng: Rng): (x: Float32Array) => void {
  if (blinding === 'none') return () => {};
  if (blinding === 'moved')
    return (x) => {
      const out = new Float32Array(DIGIT);
      const move = {
        turn: 0.15 * rng.normal(),
        zoom: 1 + 0.05 * rng.normal(),
        right: 4 * rng.uniform() - 2,
        down: 4 * rng.uniform() - 2,
      };
      moved(x.slice(), 0, move, out);
      x.set(out);
    };
  const sigma = Number(blinding.slice('noise '.length));
  return (x) => noisy(x, sigma, rng);
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
