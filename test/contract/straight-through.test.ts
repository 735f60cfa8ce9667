import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assess } from '../../src/assess/assess.ts';
import { attackModel } from '../../src/attack/model-run.fixture.ts';
import { EVASION_ATTACKS } from '../../src/attack/registry.ts';
import { writeNpz } from '../../src/data/index.ts';
import { DTYPE_CODES } from '../../src/onnx/dtype.ts';
import { graph, model, node, value } from '../../src/onnx/model.fixture.ts';
import type { Model, Node } from '../../src/onnx/model.ts';
import { float32Tensor, int64Tensor, type Tensor } from '../../src/onnx/tensor.ts';
import { writeModel } from '../../src/onnx/write.ts';
import { type Engine, startEngine } from '../../src/runtime/engine.ts';
import { classificationGoal } from '../../src/threat/goal.ts';
import { randomRows } from '../../src/threat/small-model.fixture.ts';
import { QUICK } from './quick-attacks.ts';

const N = 30;
const IMAGE = [1, 4, 4];
const SIZE = 16;
const CLASSES = 3;
const LEVELS = 20;
const x0 = randomRows('straight-through', N, SIZE);
const W = Array.from({ length: SIZE * CLASSES }, (_, i) => Math.sin(1 + 1.7 * i));

const whole = (value: number) => ({ kind: 'int', value }) as const;

/** What stands in front of a linear model, from `x` to `seen`, with steps a twentieth apart. */
const FRONTS: Readonly<Record<string, readonly Node[]>> = {
  Round: [
    node('Mul', ['x', 'levels'], ['a']),
    node('Round', ['a'], ['r']),
    node('Div', ['r', 'levels'], ['seen']),
  ],
  Floor: [
    node('Mul', ['x', 'levels'], ['a']),
    node('Floor', ['a'], ['r']),
    node('Div', ['r', 'levels'], ['seen']),
  ],
  Ceil: [
    node('Mul', ['x', 'levels'], ['a']),
    node('Ceil', ['a'], ['r']),
    node('Div', ['r', 'levels'], ['seen']),
  ],
  Sign: [node('Sub', ['x', 'half'], ['a']), node('Sign', ['a'], ['seen'])],
  'whole numbers': [
    node('Mul', ['x', 'levels'], ['a']),
    node('Cast', ['a'], ['r'], { to: whole(DTYPE_CODES.int32) }),
    node('Cast', ['r'], ['f'], { to: whole(DTYPE_CODES.float32) }),
    node('Div', ['f', 'levels'], ['seen']),
  ],
  comparisons: [
    node('Unsqueeze', ['x', 'last'], ['wide']),
    node('Greater', ['wide', 'stairs'], ['r']),
    node('Cast', ['r'], ['f'], { to: whole(DTYPE_CODES.float32) }),
    node('ReduceSum', ['f', 'last'], ['a'], { keepdims: whole(0) }),
    node('Div', ['a', 'levels'], ['seen']),
  ],
  'QuantizeLinear and DequantizeLinear': [
    node('QuantizeLinear', ['x', 'scale', 'zero'], ['r']),
    node('DequantizeLinear', ['r', 'scale', 'zero'], ['seen']),
  ],
};

const scalar = (v: number): Tensor => float32Tensor([], [v]);

function stepped(front: string): Model {
  return model(
    graph({
      inputs: [value('x', ['N', ...IMAGE])],
      outputs: [value('z', ['N', CLASSES])],
      nodes: [...FRONTS[front]!, node('Flatten', ['seen'], ['flat']), node('MatMul', ['flat', 'w'], ['z'])],
      initializers: {
        levels: scalar(LEVELS),
        half: scalar(0.5),
        last: int64Tensor([1], [-1]),
        stairs: float32Tensor(
          [LEVELS],
          Array.from({ length: LEVELS }, (_, k) => (k + 0.5) / LEVELS),
        ),
        scale: scalar(1 / LEVELS),
        zero: { dtype: 'uint8', dims: [], data: Uint8Array.of(3) },
        w: float32Tensor([SIZE, CLASSES], W),
      },
    }),
  );
}

/** The answers of {@link stepped}, computed here. */
function labelsFor(front: string): Int32Array {
  const seen = (v: number) => {
    if (front === 'Sign') return Math.sign(v - 0.5);
    if (front === 'Floor' || front === 'whole numbers') return Math.floor(v * LEVELS) / LEVELS;
    return (front === 'Ceil' ? Math.ceil(v * LEVELS) : Math.round(v * LEVELS)) / LEVELS;
  };
  return Int32Array.from({ length: N }, (_, i) => {
    const z = Array.from({ length: CLASSES }, (_, c) =>
      x0.subarray(i * SIZE, (i + 1) * SIZE).reduce((sum, v, k) => sum + seen(v) * W[k * CLASSES + c]!, 0),
    );
    return z.indexOf(Math.max(...z));
  });
}

let engine: Engine;
let home: string;
beforeAll(() => {
  engine = startEngine({ threads: 1 });
  home = mkdtempSync(join(tmpdir(), 'glacis-steps-'));
});
afterAll(async () => {
  await engine.close();
  rmSync(home, { recursive: true, force: true });
});

describe.each(Object.keys(FRONTS))('behind %s', (front) => {
  it('PGD finds nothing with plain gradients, and what is there straight-through', async () => {
    const data = join(home, 'data.npz');
    const file = join(home, 'model.onnx');
    const y = labelsFor(front);
    await writeNpz(data, { x: { data: x0, shape: [N, ...IMAGE] }, y: { data: y, shape: [N] } });
    await writeModel(file, stepped(front));
    const attacks = (['zero', 'straight-through'] as const).map((rounding) => ({
      name: 'pgd',
      options: { rounding, restarts: 0 },
    }));
    const options = { data, attacks, norm: 'linf', eps: [0.12], out: home } as const;
    const { assessment } = await assess({ model: file, ...options });
    const [plain, through] = assessment.results;
    expect(plain!.cleanAccuracy).toBeGreaterThan(0.9);
    expect(plain!.robustAccuracy).toBe(plain!.cleanAccuracy);
    expect(through!.robustAccuracy).toBeLessThan(0.6);
  });
});

/** Attacks that reach the goal without any gradient, too. */
const OTHER_MEANS: ReadonlySet<string> = new Set([
  'autoattack', // has Square inside
  'brendel-bethge', // starts at an example
  'ddn', // goes in random directions where there is no gradient
]);

describe.each(
  EVASION_ATTACKS.filter(
    (a) => 'rounding' in a.defaults && a.seeks !== 'other' && !OTHER_MEANS.has(a.id),
  ).map((a) => a.id),
)('the attack %s', (id) => {
  it('passes rounding straight-through where it is told to', async () => {
    const attack = EVASION_ATTACKS.find((a) => a.id === id)!;
    const norm = attack.norms[0]!;
    const eps = { linf: 0.15, l2: 0.5, l1: 1.5, l0: 3 }[norm];
    const y = labelsFor('Round');
    const fallen = async (rounding: string) => {
      const options = { ...QUICK[id], rounding } as object;
      const goal = classificationGoal(y, CLASSES);
      const ball = { norm, eps, bounds: [0, 1] } as const;
      const { reached } = await attackModel(engine, stepped('Round'), attack, goal, ball, x0, { options });
      return [...reached.values()].filter(Boolean).length;
    };
    const through = await fallen('straight-through');
    expect(through).toBeGreaterThan(N / 3);
    expect(through).toBeGreaterThan(1.2 * (await fallen('zero')));
  });
});
