import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withOpenBatch } from '../../../test/end-to-end/small-models.ts';
import { autoattack } from '../../attack/evasion/autoattack.ts';
import { planned } from '../../attack/registry.ts';
import { silent } from '../../core/progress.ts';
import { randomFrom } from '../../core/random.ts';
import { GraphBuilder, type Value } from '../../onnx/graph-builder.ts';
import type { Model } from '../../onnx/model.ts';
import { float32Tensor } from '../../onnx/tensor.ts';
import { type Engine, startEngine } from '../../runtime/engine.ts';
import { classificationGoal } from '../../threat/goal.ts';
import type { Ball } from '../../threat/norm.ts';
import { type Ops, opsOn } from '../../transform/ops.ts';
import { runAttack } from '../evasion.ts';
import { openSubject } from '../open-subject.ts';
import { judge, type Subject } from '../subject.ts';
import { repeatedAnswers } from './repeated-answers.ts';
import { squareBeatsGradients } from './self-check-findings.ts';
import { squareShare, whiteBoxAgain } from './square-share.ts';
import { startGradients } from './start-gradients.ts';

let engine: Engine;
beforeAll(() => {
  engine = startEngine({ threads: 1 });
});
afterAll(() => engine.close());

const D = 48;
const N = 24;
const x0 = Float32Array.from({ length: N * D }, (_, i) => ((i * 7919) % 997) / 997);
const BALL: Ball = { norm: 'linf', eps: 0.025, bounds: [0, 1] };

/** A network of four classes behind what `front` makes of the input. */
function behind(front: (b: Ops, x: Value) => Value): Model {
  const b = opsOn(new GraphBuilder());
  const x = b.builder.input('x', 'float32', [1, D]);
  const weights = (rows: number, columns: number, salt: number) =>
    b.builder.constant(
      float32Tensor(
        [rows, columns],
        Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(1 + i * salt) / 2),
      ),
      `w${salt}`,
    );
  const h = b.node('Tanh', [b.matmul(b.sub(front(b, x), 0.5), weights(D, 16, 1.7))]);
  return withOpenBatch(b.builder.build({ logits: b.matmul(h, weights(16, 4, 2.3)) }));
}

const plain = behind((_b, x) => x);
/** Forty levels a value: the gradient is zero everywhere. */
const rounded = behind((b, x) => b.div(b.node('Round', [b.mul(x, 40)]), 40));
/** A ripple too small to change an answer, whose slope hides that of the model. */
const rippled = behind((b, x) => b.add(x, b.mul(b.unary('Sin', b.mul(x, 20_000)), 0.004)));
const noisy = behind((b, x) => b.add(x, b.mul(b.node('RandomNormalLike', [x]), 0.05)));

async function opened(model: Model) {
  const { subject } = await openSubject(engine, {
    model,
    deployed: model,
    input: 'x',
    sampleDims: [D],
    fixed: {},
    output: undefined,
    batch: 32,
    first: { x: x0.subarray(0, 4 * D), count: 4 },
    signal: undefined,
  });
  const { prediction } = await judge(subject, classificationGoal(new Int32Array(N), 4), x0, N, undefined);
  return { subject, goal: classificationGoal(Int32Array.from(prediction), 4) };
}

const close = async ({ target, predictor }: Subject) => {
  await target?.close();
  await predictor.close();
};

describe('repeated answers', () => {
  it('are the same for a model without randomness, and differ for one with noise', async () => {
    const still = await opened(plain);
    expect(await repeatedAnswers(still.subject, still.goal, x0, N)).toEqual({
      samples: N,
      correct: [N, N, N, N, N],
      difference: 0,
    });
    await close(still.subject);
    const other = await opened(noisy);
    const { difference } = await repeatedAnswers(other.subject, other.goal, x0, N);
    expect(difference).toBeGreaterThan(0.01);
    await close(other.subject);
  });
});

describe('gradients at the start', () => {
  it.each([
    ['linf', plain, 0],
    ['l1', plain, 0],
    ['linf', rounded, N],
  ] as const)('in %s are counted where they are zero', async (norm, model, zero) => {
    const { subject, goal } = await opened(model);
    const interviewed = {
      ...subject,
      goal,
      batch: 8,
      rng: (sample: number) => randomFrom(1, 'start', sample),
    };
    const samples = Array.from({ length: N }, (_, i) => i);
    const found = await startGradients(interviewed, samples, x0, { ...BALL, norm, eps: 1e-4 });
    expect(found).toEqual({ samples: N, zero });
    await close(subject);
  });
});

describe('gradient attacks again', () => {
  async function secondLook(model: Model) {
    const { subject, goal } = await opened(model);
    const options = { seed: 1, batch: 32, firstSample: 0, progress: silent };
    const plan = planned(autoattack, { steps: 20, squareQueries: 400 });
    const clean = { reached: new Uint8Array(N) };
    const first = await runAttack(subject, plan, goal, BALL, x0, clean, options);
    const share = squareShare(autoattack.parts!, new Uint8Array(N).fill(1), first);
    const again = await whiteBoxAgain(subject, goal, BALL, x0, share, options, { steps: 20 });
    await close(subject);
    const { missed, more, outcome } = again;
    const findings = squareBeatsGradients({ share, again: { missed, more, complete: outcome.complete } });
    return { share, again, ids: findings.map(({ id }) => id) };
  }

  it('leave a plain model without a finding', async () => {
    const { share, ids } = await secondLook(plain);
    expect(share.only).toEqual([]);
    expect(share.standing.length).toBeGreaterThan(0);
    expect(share.standing.length).toBeLessThan(N);
    expect(ids).toEqual([]);
  });

  it('see through rounding that hid the gradient the first time', async () => {
    const { share, again, ids } = await secondLook(rounded);
    expect(share.only.length).toBeGreaterThan(2);
    expect(again.missed).toEqual([]);
    expect(ids).toEqual(['evasion/more-restarts-needed']);
    // Whatever was not in question was left alone.
    const asked = new Set([...share.only, ...share.standing]);
    for (let i = 0; i < N; i++) expect(again.outcome.asked[i]! > 0).toBe(asked.has(i));
  });

  it('still miss what a slope of its own hides: masking', async () => {
    const { share, again, ids } = await secondLook(rippled);
    expect(share.only.length).toBeGreaterThan(2);
    expect(again.missed.length).toBeGreaterThan(0);
    expect(ids).toEqual(['evasion/gradient-masking-square']);
  });
});
