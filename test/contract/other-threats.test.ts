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
import { eightBit } from '../../src/threat/constraint/eight-bit.ts';
import type { Constraint } from '../../src/threat/constraint.ts';
import { classificationGoal, type Goal } from '../../src/threat/goal.ts';
import { imageDimsOf } from '../../src/threat/image-dims.ts';
import { opsOn } from '../../src/transform/ops.ts';
import { withOpenBatch } from '../end-to-end/small-models.ts';
import { QUICK } from './quick-attacks.ts';

const N = 21;
const BOUNDS: readonly [number, number] = [-1, 1];

/** A small curved network on pictures in colour, of four classes. */
function curved(dims: readonly number[]): Model {
  const b = opsOn(new GraphBuilder());
  const size = dims.reduce((n, d) => n * d, 1);
  const x = b.builder.input('x', 'float32', [1, ...dims]);
  const weights = (rows: number, cols: number, salt: number, scale: number) =>
    b.builder.constant(
      float32Tensor(
        [rows, cols],
        Float32Array.from({ length: rows * cols }, (_, i) => Math.sin(1 + i * salt) * scale),
      ),
      `w${salt}`,
    );
  const h = b.node('Tanh', [b.matmul(b.reshape(x, [1, size]), weights(size, 16, 1.7, 0.3))]);
  return withOpenBatch(b.builder.build({ logits: b.matmul(h, weights(16, 4, 2.3, 1)) }));
}

/** Smooth pictures with levels of 8 bit. */
function pictures([channels = 1, height = 1, width = 1]: readonly number[]): Float32Array {
  return Float32Array.from({ length: N * channels * height * width }, (_, i) => {
    const column = i % width;
    const row = Math.floor(i / width) % height;
    const plane = Math.floor(i / (width * height));
    const v = 0.5 + 0.3 * Math.sin(column * 0.9 + plane) + 0.2 * Math.cos(row * 0.7 + plane * 2.1);
    return Math.fround(-1 + (Math.round(255 * v) / 255) * 2);
  });
}

let engine: Engine;
beforeAll(() => {
  engine = startEngine({ threads: 1 });
});
afterAll(() => engine.close());

/** What an attack is run on: the model's own answers are the labels. */
interface Setting {
  readonly subject: Subject;
  readonly goal: Goal;
  readonly x0: Float32Array;
  readonly size: number;
}

const opened = new Map<string, Promise<Setting>>();
function settingOf(dims: readonly number[]): Promise<Setting> {
  const known = opened.get(String(dims));
  if (known) return known;
  const setting = (async () => {
    const model = curved(dims);
    const x0 = pictures(dims);
    const size = x0.length / N;
    const { subject } = await openSubject(engine, {
      model,
      deployed: model,
      input: 'x',
      sampleDims: dims,
      fixed: {},
      output: undefined,
      batch: undefined,
      first: { x: x0.subarray(0, 4 * size), count: 4 },
      signal: undefined,
    });
    const { prediction } = await judge(subject, classificationGoal(new Int32Array(N), 4), x0, N, undefined);
    return { subject, goal: classificationGoal(Int32Array.from(prediction), 4), x0, size };
  })();
  opened.set(String(dims), setting);
  return setting;
}

interface Change {
  readonly dims?: readonly number[];
  readonly batch?: number;
  readonly seed?: number;
  readonly constraint?: Constraint;
  readonly signal?: AbortSignal;
  readonly decided?: () => void;
  readonly earlier?: Outcome;
}

const COLOUR = [3, 6, 7];

async function attacked(id: string, change: Change = {}): Promise<Outcome> {
  const { subject, goal, x0 } = await settingOf(change.dims ?? COLOUR);
  return runAttack(
    subject,
    planAttack({ name: id, options: { ...QUICK[id] } }),
    goal,
    // Norm and eps mean nothing to a threat of another kind.
    { norm: 'linf', eps: 0, bounds: BOUNDS, constraint: change.constraint },
    x0,
    { reached: new Uint8Array(N) },
    {
      seed: change.seed ?? 1,
      batch: change.batch ?? 8,
      firstSample: 0,
      progress: silent,
      signal: change.signal,
      decided: change.decided,
      earlier: change.earlier,
    },
  );
}

const fallen = (outcome: Outcome) => outcome.success.reduce((a, b) => a + b, 0);
const OTHERS = EVASION_ATTACKS.filter((attack) => attack.seeks === 'other');

describe.each(OTHERS.map((a) => a.id))('the attack %s', (id) => {
  const attack = OTHERS.find((a) => a.id === id)!;
  const threat = attack.threat!;
  const { options } = planAttack({ name: id, options: { ...QUICK[id] } });

  it('keeps to its threat and fools the file itself, on pictures in colour, grey, and with channels last', async () => {
    for (const dims of [COLOUR, [1, 6, 7], [6, 7, 3]]) {
      const outcome = await attacked(id, { dims });
      expect(outcome.refused).toEqual({});
      expect(fallen(outcome), String(dims)).toBeGreaterThan(0);
      const { subject, goal } = await settingOf(dims);
      expect((await judge(subject, goal, outcome.x, N, undefined)).reached).toEqual(outcome.success);
    }
  });

  it('is checked by a threat that sees through false examples', async () => {
    const outcome = await attacked(id);
    const { x0, size } = await settingOf(COLOUR);
    const width = threat.parameters.length;
    let checked = 0;
    for (let i = 0; i < N; i++) {
      if (!outcome.success[i]) continue;
      const example = {
        x: outcome.x.slice(i * size, (i + 1) * size),
        x0: x0.subarray(i * size, (i + 1) * size),
        image: imageDimsOf(COLOUR),
        bounds: BOUNDS,
        options,
        parameters: outcome.parameters.slice(i * width, (i + 1) * width),
        shared: outcome.shared,
      };
      expect(threat.violation(example)).toBeUndefined();
      const foreign = Float32Array.from(example.x, (v, at) => (at % 3 ? v : -v));
      expect(threat.violation({ ...example, x: foreign }), 'another picture').toBeDefined();
      if (width > 0) {
        const none = new Float32Array(width).fill(Number.NaN);
        expect(threat.violation({ ...example, parameters: none }), 'no parameters').toBeDefined();
        const huge = new Float32Array(width).fill(1e6);
        expect(threat.violation({ ...example, parameters: huge }), 'too large').toBeDefined();
      }
      expect(threat.violation({ ...example, image: undefined }), 'no picture').toBeDefined();
      checked++;
    }
    expect(checked).toBeGreaterThan(0);
  });

  it('says what it may do, and how much', () => {
    expect(threat.size(options)).toBeGreaterThan(0);
    expect(threat.describe(options)).toMatch(/\d/);
  });

  it('gives the same bytes for the same seed', async () => {
    const [a, b] = [await attacked(id), await attacked(id)];
    expect(a.x).toEqual(b.x);
    expect(a.parameters).toEqual(b.parameters);
    expect(a.shared).toEqual(b.shared);
  });

  it('gives the same verdicts for every batch', async () => {
    const reference = await attacked(id);
    for (const batch of [1, 64]) {
      const other = await attacked(id, { batch });
      expect(other.success).toEqual(reference.success);
      expect(other.refused).toEqual({});
    }
  });

  it('finds examples that survive being saved in 8 bit, or none', async () => {
    const { size } = await settingOf(COLOUR);
    const outcome = await attacked(id, { constraint: eightBit(BOUNDS, size) });
    expect(outcome.refused).toEqual({});
  });

  it('stops when it is told to, and goes on with what was decided', async () => {
    const controller = new AbortController();
    let decisions = 0;
    const partial = await attacked(id, {
      batch: 4,
      signal: controller.signal,
      decided: () => {
        decisions++;
        controller.abort('the test');
      },
    });
    expect(decisions).toBeGreaterThan(0);
    expect(partial.complete).toBe(false);
    expect(partial.decided.reduce((a, b) => a + b, 0)).toBe(decisions);
    expect(partial.refused).toEqual({});
    const [whole, rest] = [
      await attacked(id, { batch: 4 }),
      await attacked(id, { batch: 4, earlier: partial }),
    ];
    expect(rest.success).toEqual(whole.success);
    expect(rest.refused).toEqual({});
    expect(rest.queries).toBeLessThan(whole.queries);
  });

  it('says that it is for pictures', async () => {
    const dims = [12];
    await expect(attacked(id, { dims })).rejects.toThrow(/expected samples that are pictures/);
  });
});
