import { describe, expect, it } from 'vitest';
import type { Material } from '../material.ts';
import { planAugments } from './augment.ts';
import { planObjective, priceOf } from './objective.ts';
import { described } from './one-spec.ts';
import { planOptimiser } from './optimiser.ts';
import { planSchedule } from './schedule.ts';
import { planTraining } from './training.ts';

const material = (y: ArrayLike<number>, more: Partial<Material> = {}): Material => ({
  samples: { x: new Float32Array(y.length * 4), y },
  n: y.length,
  shape: [1, 2, 2],
  width: 1,
  isReal: false,
  bounds: [0, 1],
  isRanged: true,
  digest: 'sha256:0',
  dataSet: 'sha256:0',
  description: '',
  notes: [],
  ...more,
});
const classes = material([0, 1, 2, 2]);
const plan = (wishes: object, training = classes, outputs?: number) =>
  planTraining(wishes, training, material([0, 1]), outputs);

describe('planTraining', () => {
  it.each<[string, object, Material, number | undefined, string, number]>([
    ['classes', {}, classes, undefined, 'cross-entropy', 3],
    ['classes of which the data show two', {}, material([0, 1]), 5, 'cross-entropy', 5],
    ['two classes and one output', {}, material([0, 1]), 1, 'binary', 1],
    ['several labels a sample', {}, material([0, 1, 1, 1], { width: 2, n: 2 }), undefined, 'binary', 2],
    ['real numbers', {}, material([0.5, 1], { isReal: true }), undefined, 'mse', 1],
    ['a wish', { loss: 'huber(delta=2)' }, material([0.5, 1], { isReal: true }), undefined, 'huber', 1],
    ['mixed samples', { mixup: 0.2 }, classes, undefined, 'soft-cross-entropy', 3],
  ])('finds the loss for %s', (_, wishes, training, given, loss, outputs) => {
    const planned = plan(wishes, training, given);
    expect(planned.options.criterion!.name).toBe(loss);
    expect(planned.outputs).toBe(outputs);
  });

  it('records every setting, with weights that balance the classes', () => {
    const { config, options } = plan({
      classWeights: 'balanced',
      average: 0.9,
      against: 'fast(eps=0.1)',
      augment: 'flip',
    });
    expect(config).toMatchObject({
      epochs: 10,
      learningRate: 2e-3,
      loss: { name: 'cross-entropy', classWeights: `${4 / 3} ${4 / 3} ${4 / 6}` },
      objective: { name: 'fast', eps: 0.1, stepShare: 1.25 },
      validationThreat: { eps: 0.1, steps: 10 },
      augment: [{ name: 'flip' }],
      mixup: null,
    });
    expect(options.validation!.whenCatastrophic).toBe('stop');
    expect(
      plan({ against: 'fast', whenCatastrophic: 'fall-back' }).options.validation!.whenCatastrophic,
    ).toMatchObject({
      name: 'pgd',
      options: { eps: 8 / 255, steps: 10 },
    });
  });

  it.each<[object, Material, RegExp]>([
    [{ loss: 'cross-entropy' }, material([0.5, 1], { isReal: true }), /use mse or huber/],
    [{ loss: 'mse', labelSmoothing: 0.1 }, classes, /expected cross-entropy with/],
    [{ mixup: 0.2, labelSmoothing: 0.1 }, classes, /mixup: expected it without/],
    [{ classWeights: '1,2' }, classes, /or 3 numbers/],
    [{}, material([0, -1]), /got -1 for sample 1/],
    [{ against: 'pgd(steps=x)' }, classes, /steps to be a number/],
    [{ against: 'pgd, trades' }, classes, /expected one objective/],
    [{ against: 'pgd', norm: 'l2' }, classes, /expected eps/],
    [{ against: 'pgd' }, material([0, 1], { shape: [4] }), /expected eps/],
    [{ schedule: 'cosin' }, classes, /did you mean 'cosine'/],
  ])('refuses %j', (wishes, training, message) => {
    expect(() => plan(wishes, training)).toThrow(message);
  });
});

describe('the texts of options', () => {
  it('read augmentations with their first option alone', () => {
    const read = planAugments('shift(2),flip,cutout( 8 ), noise(sigma=0.2), shift(reach=3, fill=zero)');
    expect(read.map(({ name, options }) => described(name, options))).toEqual([
      'shift(reach=2, fill=edge)',
      'flip',
      'cutout(side=8)',
      'noise(sigma=0.2, clip=true)',
      'shift(reach=3, fill=zero)',
    ]);
    expect(() => planAugments('shift(2.5)')).toThrow(/whole number/);
    expect(() => planAugments('blur(2)')).toThrow(/expected cutout/);
  });

  it('read objectives with awp beside them', () => {
    const frame = { norm: 'linf', bounds: [0, 2], isRanged: true, shape: [1, 8, 8] } as const;
    const { objective, replays } = planObjective('free(eps=0.1, replays=3), awp(gamma=0.01)', frame);
    expect([objective.name, objective.options.gamma, replays]).toEqual(['free+awp', 0.01, 3]);
    expect(planObjective('pgd(eps=0.4, stepSize=0.1)', frame).objective.options).toMatchObject({
      eps: 0.4,
      stepShare: 0.25,
      highest: 2,
    });
    expect(planObjective('trades(beta=3)', frame).objective.options).toMatchObject({
      eps: 16 / 255,
      beta: 3,
    });
  });

  it('say what a step costs', () => {
    const prices = ['pgd(steps=7)', 'trades(steps=5), awp', 'free(replays=4)', 'fast', 'plain', 'awp'].map(
      priceOf,
    );
    expect(prices.map(({ attack, weights }) => [attack, weights])).toEqual([
      [7, 1],
      [5, 4],
      [0, 4],
      [1, 1],
      [0, 1],
      [0, 2],
    ]);
  });

  it('read optimisers and schedules', () => {
    expect(planOptimiser('sgd(nesterov=true)').optimiser.options).toMatchObject({
      momentum: 0.9,
      nesterov: true,
    });
    expect(planSchedule('steps(at=0.5, factor=0.2)', 1, 0).rate(60, 100)).toBeCloseTo(0.2, 12);
    expect(planSchedule('steps(at=0.3 0.6)', 1, 0).rate(70, 100)).toBeCloseTo(0.01, 12);
  });
});
