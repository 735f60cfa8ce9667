import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Outcome, runAttack } from '../../src/assess/evasion.ts';
import { openSubject } from '../../src/assess/open-subject.ts';
import { judge, type Subject } from '../../src/assess/subject.ts';
import { EVASION_ATTACKS, planAttack } from '../../src/attack/registry.ts';
import { GlacisError } from '../../src/core/error.ts';
import { silent } from '../../src/core/progress.ts';
import type { Model } from '../../src/onnx/model.ts';
import { type Engine, startEngine } from '../../src/runtime/engine.ts';
import {
  binaryGoal,
  classificationGoal,
  type Goal,
  multilabelGoal,
  regressionGoal,
} from '../../src/threat/goal.ts';
import type { Ball } from '../../src/threat/norm.ts';
import { IMAGE, network, SIZE } from './odd-networks.ts';
import { QUICK } from './quick-attacks.ts';

const N = 5;
const samples = Float32Array.from({ length: N * SIZE }, (_, i) => ((i * 7919) % 1009) / 1009);

let engine: Engine;
beforeAll(() => {
  engine = startEngine({ threads: 1 });
});
afterAll(() => engine.close());

const opened = new Map<string, Promise<Subject>>();
function subjectOf(name: string, model: () => Model): Promise<Subject> {
  const known = opened.get(name);
  if (known) return known;
  const made = model();
  const subject = openSubject(engine, {
    model: made,
    deployed: made,
    input: 'x',
    sampleDims: IMAGE,
    fixed: {},
    output: undefined,
    batch: 8,
    // One sample that gives numbers, so that a model that answers NaN elsewhere opens.
    first: { x: new Float32Array(SIZE).fill(0.9), count: 1 },
    signal: undefined,
  }).then((result) => result.subject);
  opened.set(name, subject);
  return subject;
}

interface Case {
  readonly name: string;
  readonly model: () => Model;
  /** The goal, given the model's own answers. */
  readonly goal: (prediction: Int32Array | Float32Array | Uint8Array) => Goal;
  /** Reads the answers at first. */
  readonly reading: Goal;
}

const classes = (k: number) => ({
  // Where the model gives no answer, any label will do.
  goal: (p: ArrayLike<number>) =>
    classificationGoal(
      Int32Array.from(p, (label) => Math.max(0, label)),
      k,
    ),
  reading: classificationGoal(new Int32Array(N), k),
});

const CASES: readonly Case[] = [
  { name: 'two classes', model: () => network(2), ...classes(2) },
  { name: 'three classes', model: () => network(3), ...classes(3) },
  {
    name: 'one output',
    model: () => network(1),
    goal: (p) => binaryGoal(Int32Array.from(p)),
    reading: binaryGoal(new Int32Array(N)),
  },
  {
    name: 'several labels',
    model: () => network(4),
    goal: (p) => multilabelGoal(Int32Array.from(p), 4),
    reading: multilabelGoal(new Int32Array(4 * N), 4),
  },
  {
    name: 'a regression',
    model: () => network(2),
    goal: (p) => regressionGoal(Float32Array.from(p), 2, 0.05),
    reading: regressionGoal(new Float32Array(2 * N), 2, 0.05),
  },
  { name: 'rounded probabilities', model: () => network(5, 'rounded'), ...classes(5) },
  { name: 'random answers', model: () => network(5, 'random'), ...classes(5) },
  { name: 'answers that are no numbers', model: () => network(5, 'nan'), ...classes(5) },
  { name: 'one answer to everything', model: () => network(5, 'constant'), ...classes(5) },
];

/** Says no clearly: what an attack may do where it cannot work. */
const REFUSALS = new Set(['option/invalid', 'model/unsupported-task', 'data/mismatch']);

async function attacked(
  id: string,
  norm: Ball['norm'],
  one: Case,
  eps: number,
  wrong = 0,
): Promise<Outcome | GlacisError> {
  const subject = await subjectOf(one.name, one.model);
  const first = await judge(subject, one.reading, samples, N, undefined);
  const goal = one.goal(first.prediction);
  return runAttack(
    subject,
    planAttack({ name: id, options: QUICK[id] ?? {} }),
    goal,
    { norm, eps, bounds: [0, 1] },
    samples,
    { reached: new Uint8Array(N).fill(wrong) },
    { seed: 1, batch: 8, firstSample: 0, progress: silent },
  ).catch((thrown: unknown) => {
    if (thrown instanceof GlacisError && REFUSALS.has(thrown.code)) return thrown;
    throw thrown;
  });
}

const EPS = { linf: 0.1, l2: 0.3, l1: 0.8, l0: 3 } as const;

describe.each(EVASION_ATTACKS.map((a) => a.id))('the attack %s', (id) => {
  const attack = EVASION_ATTACKS.find((a) => a.id === id)!;
  const norm = attack.norms[0] ?? 'linf';

  it.each(CASES.map((one) => one.name))('ends well on %s', async (name) => {
    const one = CASES.find((c) => c.name === name)!;
    const outcome = await attacked(id, norm, one, EPS[norm]);
    if (outcome instanceof GlacisError) {
      expect(outcome.message).toMatch(/expected .+, got .+/);
      return;
    }
    expect(outcome.complete).toBe(true);
    expect(outcome.refused).toEqual({});
    expect([...outcome.x].every(Number.isFinite)).toBe(true);
  });

  it('asks nothing where every sample is wrong already, and finds nothing', async () => {
    const outcome = await attacked(id, norm, CASES[1]!, EPS[norm], 1);
    if (outcome instanceof GlacisError) return;
    expect(outcome.success.every((s) => s === 0)).toBe(true);
    expect(outcome.gradientQueries).toBe(0);
    expect(outcome.x).toEqual(samples);
  });
});
