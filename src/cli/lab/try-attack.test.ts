import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Subject } from '../../assess/subject.ts';
import { renderSplit, SIGN_CLASSES, SIGN_SHAPE } from '../../data/traffic-signs/render.ts';
import { holdModel } from '../../gateway/backend/admission/held-model.ts';
import type { LabOrder } from '../../gateway/console/lab.ts';
import { type Engine, startEngine } from '../../runtime/engine.ts';
import { bundledExample } from '../bundled-example.ts';
import { LAB_ATTACKS } from './attacks.ts';
import { openTrial } from './open-trial.ts';
import { tryAttack } from './try-attack.ts';

const picture = renderSplit({ seed: 3, split: 'test', n: 1, start: 0 });
const values = Float32Array.from(picture.x, (value) => value / 255);
const label = picture.y[0]!;
const EPS = { linf: 8 / 255, l2: 1.5, l1: 20, l0: 9 } as const;

let engine: Engine;
let subject: Subject;
let batch: number;
let digest: string;
let path: string;

const trial = (over: Partial<LabOrder> = {}) =>
  tryAttack(subject, {
    order: { attack: 'pgd', norm: 'linf', eps: 8 / 255, values, label, integrated: false, ...over },
    range: [0, 1],
    batch,
    progress: () => {},
    signal: new AbortController().signal,
  });

beforeAll(async () => {
  engine = startEngine({ threads: 1 });
  path = (await bundledExample()).model;
  digest = (await holdModel(path, { most: 2 ** 30, ignore: [] })).root;
  const model = modelOf(digest);
  ({ subject, batch } = await openTrial(engine, { model, order: orderOf(), memory: 2 ** 30 }, never));
});

afterAll(() => engine.close());

describe('a trial of the lab', () => {
  it.each(LAB_ATTACKS.filter(({ id }) => !['boundary', 'hop-skip-jump', 'cw-l2'].includes(id)))(
    '$id begins with the input, ends with the result, and stays where it may be',
    async ({ id, norms, seeks }) => {
      const norm = (norms[0] ?? 'linf') as keyof typeof EPS;
      const { steps, clean, fell, within, distance, attribution } = await trial({
        attack: id,
        norm,
        eps: EPS[norm],
      });
      expect(steps.length).toBeGreaterThan(1);
      expect(steps.length).toBeLessThanOrEqual(20);
      expect(steps[0]!.scores).toEqual(clean);
      for (const { values: x, scores, queries } of steps) {
        expect(x).toHaveLength(values.length);
        expect(Math.min(...x)).toBeGreaterThanOrEqual(0);
        expect(Math.max(...x)).toBeLessThanOrEqual(1);
        expect(scores).toHaveLength(SIGN_CLASSES.length);
        expect(scores.reduce((sum, score) => sum + score, 0)).toBeCloseTo(1, 3);
        expect(queries).toBeGreaterThanOrEqual(0);
      }
      const said = steps.at(-1)!.scores;
      // On the boundary two classes may round to the same score.
      if (seeks !== 'minimum') expect(said.indexOf(Math.max(...said)) !== label).toBe(fell);
      expect(fell).toBe(id !== 'random-noise');
      if (seeks === 'ball') expect(within).toBe(true);
      if (within && seeks === 'ball' && norm === 'linf') expect(distance.linf).toBeLessThan(EPS.linf + 1e-5);
      expect(attribution!.before).toHaveLength(values.length);
      expect(attribution!.after.some((value) => value !== 0)).toBe(true);
    },
  );

  it('says nothing of chance that it does not say of an attack: noise of the same size leaves the answer', async () => {
    const { fell, distance } = await trial({ attack: 'random-noise' });
    expect(fell).toBe(false);
    expect(distance.linf).toBeGreaterThan(0);
  });

  it('integrated gradients add up to what the input is worth to the output', async () => {
    const target = subject.target!;
    const { attribution } = await trial({ eps: 0, attack: 'fgsm', integrated: true });
    const logit = async (x: Float32Array) => (await subject.oracle.ask(x, 1))[label]!;
    const worth = (await logit(values)) - (await logit(new Float32Array(values.length)));
    const sum = attribution!.before.reduce((total, value) => total + value, 0);
    expect(target.classes).toBe(SIGN_CLASSES.length);
    expect(Math.abs(sum - worth)).toBeLessThan(0.15 * Math.abs(worth));
  });

  it('does not attack what the model gets wrong anyway', async () => {
    const { steps, fell, queries } = await trial({ label: (label + 1) % SIGN_CLASSES.length });
    expect(fell).toBe(true);
    expect(steps).toHaveLength(1);
    expect(queries).toBe(1);
  });

  it('gives the same for the same question', async () => {
    const [a, b] = [await trial({ attack: 'square' }), await trial({ attack: 'square' })];
    expect({ ...a, seconds: 0 }).toEqual({ ...b, seconds: 0 });
  });

  it.each([
    [{ attack: 'fgms' }, /expected one of the lab's/],
    [{ attack: 'square', norm: 'l0' }, /expected linf or l2 or l1, got l0/],
    [{ label: 99 }, /expected a class from 0 to/],
    [{ label: -1 }, /expected a class from 0 to/],
  ])('refuses %o', async (over, message) => {
    await expect(trial(over)).rejects.toThrow(message);
  });

  it('refuses a file that is not the one that is served', async () => {
    const model = modelOf(`sha256:${'0'.repeat(64)}`);
    await expect(
      openTrial(engine, { model, order: orderOf(), memory: 2 ** 30 }, never),
    ).rejects.toMatchObject({ code: 'manifest/changed' });
  });

  it('asks where it has no file, and then knows no gradients', async () => {
    const ask = async (points: Float32Array, n: number) =>
      (await subject.predictor.predict(points, n)).slice();
    const { source: _, ...model } = modelOf(digest);
    const asked = await openTrial(engine, { model, order: orderOf(), memory: 2 ** 30 }, ask);
    expect(asked.subject.target).toBeUndefined();
    const options = {
      range: [0, 1] as const,
      batch: 16,
      progress: () => {},
      signal: new AbortController().signal,
    };
    const order = orderOf();
    const found = await tryAttack(asked.subject, { ...options, order: { ...order, attack: 'square' } });
    expect(found.fell).toBe(true);
    expect(found.attribution).toBeUndefined();
    await expect(tryAttack(asked.subject, { ...options, order })).rejects.toThrow(/needs gradients/);
  });
});

const never = () => Promise.reject(new Error('asked'));

function orderOf(): LabOrder {
  return { attack: 'pgd', norm: 'linf', eps: 8 / 255, values, label, integrated: false };
}

function modelOf(digest: string) {
  return {
    digest,
    input: 'input',
    output: 'logits',
    sampleDims: SIGN_SHAPE,
    classes: SIGN_CLASSES.length,
    source: { path, ignore: [] },
  };
}
