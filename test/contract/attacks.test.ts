import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Outcome, runAttack } from '../../src/assess/evasion.ts';
import { openSubject } from '../../src/assess/open-subject.ts';
import { judge, type Subject } from '../../src/assess/subject.ts';
import { EVASION_ATTACKS, planAttack } from '../../src/attack/registry.ts';
import { silent } from '../../src/core/progress.ts';
import { GraphBuilder } from '../../src/onnx/graph-builder.ts';
import type { Model } from '../../src/onnx/model.ts';
import { float32Tensor } from '../../src/onnx/tensor.ts';
import { type Engine, startEngine } from '../../src/runtime/engine.ts';
import { binaryGoal, classificationGoal, type Goal } from '../../src/threat/goal.ts';
import { type Ball, distance, type Norm } from '../../src/threat/norm.ts';
import { violationOf } from '../../src/threat/violation.ts';
import { opsOn } from '../../src/transform/ops.ts';
import { withOpenBatch } from '../end-to-end/small-models.ts';
import { BOUNDS, curved, EPS, IMAGE, N, SIZE, samples } from './curved.ts';
import { QUICK } from './quick-attacks.ts';

let engine: Engine;
beforeAll(() => {
  engine = startEngine({ threads: 1 });
});
afterAll(() => engine.close());

const W = [0.9, -0.4, 0.3, -1.1, 0.2, 0.7, -0.6, 0.5, -0.2, 0.8, -0.9, 0.1];

/** One logit, `w · x − 0.3`. */
function linear(): Model {
  const b = opsOn(new GraphBuilder());
  const x = b.builder.input('x', 'float32', [1, SIZE]);
  const w = b.builder.constant(float32Tensor([SIZE, 1], Float32Array.from(W)), 'w');
  return withOpenBatch(b.builder.build({ logit: b.sub(b.matmul(x, w), 0.3) }));
}

const opened = new Map<Model, Promise<Subject>>();
async function subjectOf(model: Model): Promise<Subject> {
  const known = opened.get(model);
  if (known) return known;
  const subject = openSubject(engine, {
    model,
    deployed: model,
    input: 'x',
    sampleDims: model === LINEAR ? [SIZE] : IMAGE,
    fixed: {},
    output: undefined,
    batch: undefined,
    first: { x: samples.subarray(0, 4 * SIZE), count: 4 },
    signal: undefined,
  }).then((result) => result.subject);
  opened.set(model, subject);
  return subject;
}

const CURVED = curved();
/** What attacks by transfer make their examples on. */
const SURROGATE = curved(0.8);
const LINEAR = linear();

/** The labels that the model itself gives, so that every sample is right before. */
async function ownGoal(model: Model): Promise<{ readonly goal: Goal; readonly labels: Int32Array }> {
  const subject = await subjectOf(model);
  const binary = subject.classes === 1;
  const make = (labels: Int32Array) => (binary ? binaryGoal(labels) : classificationGoal(labels, 3));
  const { prediction } = await judge(subject, make(new Int32Array(N)), samples, N, undefined);
  const labels = Int32Array.from(prediction);
  return { goal: make(labels), labels };
}

interface Change {
  readonly options?: Record<string, number>;
  readonly batch?: number;
  readonly seed?: number;
  readonly signal?: AbortSignal;
  readonly decided?: () => void;
}

async function attacked(model: Model, id: string, ball: Ball, change: Change = {}): Promise<Outcome> {
  const { goal } = await ownGoal(model);
  return runAttack(
    await subjectOf(model),
    planAttack({ name: id, options: { ...QUICK[id], ...change.options } }),
    goal,
    ball,
    samples,
    { reached: new Uint8Array(N) },
    {
      seed: change.seed ?? 1,
      batch: change.batch ?? 16,
      firstSample: 0,
      progress: silent,
      signal: change.signal,
      decided: change.decided,
      surrogate: (await subjectOf(SURROGATE)).target,
    },
  );
}

/** Attacks that climb something else than the goal's loss at their own iterates, so that no optimum is promised. */
const ASIDE: ReadonlySet<string> = new Set([
  'feature', // climbs towards another sample's activations
  'universal', // one change for all
  'di-fgsm', // gradients at resized copies, which only pictures have
  'universal', // one perturbation for all samples
]);

/** Attacks that look for the least of something else than the distance. */
const MEASURED_OTHERWISE: ReadonlySet<string> = new Set([
  'lowprofool', // columns of a table weigh differently; its own tests hold that optimum
]);

/** The least distance at which the linear model's answer to `sample` changes: exact, bounds included. */
function leastDistance(norm: Norm, sample: number, label: number): number {
  const x = samples.subarray(sample * SIZE, (sample + 1) * SIZE);
  const side = label ? -1 : 1;
  const logit = W.reduce((sum, w, i) => sum + w * x[i]!, -0.3);
  /** How far each value can move in the direction that helps, and what that does to the logit per unit. */
  const moves = W.map((w, i) => ({
    gain: Math.abs(w),
    room: side * w > 0 ? 1 - x[i]! : x[i]!,
  })).sort((a, b) => b.gain - a.gain);
  const needed = Math.abs(logit);
  const gained = (moved: (move: { gain: number; room: number }) => number) =>
    moves.reduce((sum, move) => sum + move.gain * Math.min(move.room, moved(move)), 0);
  if (gained(() => 1) < needed) return Number.POSITIVE_INFINITY;
  if (norm === 'l0' || norm === 'l1') {
    let total = 0;
    let left = needed;
    // L0: the largest contributions first; L1: the largest gain per unit first.
    const order = norm === 'l0' ? moves.sort((a, b) => b.gain * b.room - a.gain * a.room) : moves;
    for (const { gain, room } of order) {
      if (left <= 0) break;
      total += norm === 'l0' ? 1 : Math.min(room, left / gain);
      left -= gain * room;
    }
    return total;
  }
  // Linf: every value moves by t; L2: by t times its gain. Both as far as the bounds allow.
  let [low, high] = [0, 100];
  const reach = (t: number) => gained(({ gain }) => (norm === 'linf' ? t : t * gain));
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (reach(middle) < needed) low = middle;
    else high = middle;
  }
  if (norm === 'linf') return high;
  return Math.hypot(...moves.map(({ gain, room }) => Math.min(room, high * gain)));
}

/** A test that only some attacks can meet: for others it does not exist, which is no skip. */
const itWhere = (applies: boolean) => (applies ? it : (_name: string, _test: () => unknown) => {});

const fallen = (outcome: Outcome) => outcome.success.reduce((a, b) => a + b, 0);

describe.each(EVASION_ATTACKS.map((a) => a.id))('the attack %s', (id) => {
  const attack = EVASION_ATTACKS.find((a) => a.id === id)!;
  const inBall = attack.seeks === 'ball';
  const stepped = 'steps' in attack.defaults && 'stepSize' in attack.defaults;

  describe.each(attack.norms)('in %s', (norm) => {
    const ball: Ball = { norm, eps: EPS[norm], bounds: BOUNDS };

    it('stays in its ball and bounds, changes something, and fools the file itself', async () => {
      const outcome = await attacked(CURVED, id, ball);
      expect(outcome.refused).toEqual({});
      for (let i = 0; i < N; i++)
        expect(
          violationOf({ ...ball, eps: inBall ? ball.eps : 1e9 }, outcome.x, samples, i * SIZE, SIZE),
        ).toBeUndefined();
      expect(fallen(outcome)).toBeGreaterThan(0);
      if (inBall) expect(fallen(outcome)).toBeLessThan(N);
      const { labels } = await ownGoal(CURVED);
      const again = await judge(
        await subjectOf(CURVED),
        classificationGoal(labels, 3),
        outcome.x,
        N,
        undefined,
      );
      expect(again.reached).toEqual(outcome.success);
      for (let i = 0; i < N; i++)
        expect(outcome.distance[i]).toBeCloseTo(distance(norm, outcome.x, samples, i * SIZE, SIZE), 6);
    });

    it('gives the same bytes for the same seed', async () => {
      const [a, b] = [await attacked(CURVED, id, ball), await attacked(CURVED, id, ball)];
      expect(a.x).toEqual(b.x);
      expect(a.success).toEqual(b.success);
    });

    it('gives the same verdicts, and the same examples up to rounding, for every batch', async () => {
      const reference = await attacked(CURVED, id, ball);
      for (const batch of [1, 3, 64]) {
        const other = await attacked(CURVED, id, ball, { batch });
        expect(other.success).toEqual(reference.success);
        expect(other.prediction).toEqual(reference.prediction);
        let gap = 0;
        for (let i = 0; i < other.x.length; i++) gap = Math.max(gap, Math.abs(other.x[i]! - reference.x[i]!));
        expect(gap).toBeLessThan(1e-4);
      }
    });

    itWhere(inBall)('finds nothing at eps 0', async () => {
      const outcome = await attacked(CURVED, id, { ...ball, eps: 0 });
      expect(fallen(outcome)).toBe(0);
      expect(outcome.x).toEqual(samples);
    });

    itWhere(stepped)('is never worse for more steps of the same length', async () => {
      const stepSize = EPS[norm] / 10;
      let before: Uint8Array = new Uint8Array(N);
      for (const count of [1, 4, 16]) {
        const { success } = await attacked(CURVED, id, ball, { options: { steps: count, stepSize } });
        for (let i = 0; i < N; i++) expect(success[i]).toBeGreaterThanOrEqual(before[i]!);
        before = success;
      }
    });

    it('stops when it is told to, and keeps what was decided', async () => {
      const controller = new AbortController();
      let decisions = 0;
      const outcome = await attacked(CURVED, id, ball, {
        batch: 4,
        signal: controller.signal,
        decided: () => {
          decisions++;
          controller.abort('the test');
        },
      });
      expect(decisions).toBeGreaterThan(0);
      expect(outcome.complete).toBe(false);
      expect(outcome.decided.reduce((a, b) => a + b, 0)).toBe(decisions);
      const whole = await attacked(CURVED, id, ball, { batch: 4 });
      for (let i = 0; i < N; i++) if (outcome.decided[i]) expect(outcome.success[i]).toBe(whole.success[i]);
    });

    it('does not touch what an earlier run has decided', async () => {
      const whole = await attacked(CURVED, id, ball);
      const decided = Uint8Array.from({ length: N }, (_, i) => i % 2);
      const { goal } = await ownGoal(CURVED);
      const rest = await runAttack(
        await subjectOf(CURVED),
        planAttack({ name: id, options: { ...QUICK[id] } }),
        goal,
        ball,
        samples,
        { reached: new Uint8Array(N) },
        {
          seed: 1,
          batch: 16,
          firstSample: 0,
          progress: silent,
          earlier: { ...whole, decided },
          surrogate: (await subjectOf(SURROGATE)).target,
        },
      );
      expect(rest.success).toEqual(whole.success);
      expect(rest.queries).toBeLessThan(whole.queries);
    });

    itWhere(!inBall && attack.needs === 'gradient' && !MEASURED_OTHERWISE.has(id))(
      'comes within 1 % of the least distance on a linear model, bounds included',
      async () => {
        const { labels } = await ownGoal(LINEAR);
        const outcome = await attacked(LINEAR, id, ball);
        for (let s = 0; s < N; s++) {
          const least = leastDistance(norm, s, labels[s]!);
          if (!Number.isFinite(least)) {
            expect(outcome.success[s], `sample ${s}`).toBe(0);
            continue;
          }
          expect(outcome.success[s], `sample ${s}`).toBe(1);
          expect(outcome.distance[s], `sample ${s}`).toBeGreaterThanOrEqual(least - 1e-5);
          expect(outcome.distance[s], `sample ${s}`).toBeLessThanOrEqual(1.01 * least + 1e-4);
        }
      },
    );
  });

  itWhere(inBall && attack.needs === 'gradient' && attack.norms.includes('linf') && !ASIDE.has(id))(
    'meets the optimum of a linear model in linf',
    async () => {
      const { labels } = await ownGoal(LINEAR);
      for (const eps of [0.02, 0.1, 0.25]) {
        const outcome = await attacked(LINEAR, id, { norm: 'linf', eps, bounds: BOUNDS });
        for (let s = 0; s < N; s++) {
          // Every value moves as far as ball and bounds allow, against the sign of its weight where the logit is positive.
          let best = -0.3;
          for (let i = 0; i < SIZE; i++) {
            const v = samples[s * SIZE + i]!;
            const sign = Math.sign(W[i]!) * (labels[s] ? -1 : 1);
            best += W[i]! * Math.min(1, Math.max(0, v + sign * eps));
          }
          if (Math.abs(best) < 1e-5) continue;
          expect(outcome.success[s], `sample ${s} at eps ${eps}`).toBe(
            best > 0 === Boolean(labels[s]) ? 0 : 1,
          );
        }
      }
    },
  );

  it('refuses options that do not exist', () => {
    expect(() => planAttack({ name: id, options: { nonsense: 1 } })).toThrow(/got 'nonsense'/);
  });
});
