import { GlacisError } from '../core/error.ts';
import type { MaterialOptions } from '../train/material.ts';
import { AUGMENTS } from '../train/plan/augment.ts';
import { LOSSES } from '../train/plan/criterion.ts';
import { OBJECTIVES } from '../train/plan/objective.ts';
import { OPTIMISERS } from '../train/plan/optimiser.ts';
import { SCHEDULES } from '../train/plan/schedule.ts';
import type { TrainingWishes } from '../train/plan/training.ts';
import type { Given, OptionTable } from './args.ts';

const names = (of: object) => Object.keys(of).join(', ');

/** Options of every command that learns from data. */
export const MATERIAL_OPTIONS: OptionTable = {
  data: {
    value: 'DATA',
    help: 'samples and labels to learn from: .npz (x, y), "images,labels" (.npy or IDX), a folder of images by class, CSV, Parquet, or traffic-signs:train[:COUNT]',
  },
  labels: { value: 'FILE', help: 'labels or targets from a file of their own, one or several a sample' },
  n: { value: 'N', help: 'take the first N samples (all unless given)' },
  range: { value: 'LOW,HIGH', help: 'range of an input (0,1 for pictures unless given)' },
  layout: { value: 'LAYOUT', help: 'how pictures are stored: nchw, nhwc or auto' },
  'image-size': { value: 'H,W', help: 'resize the pictures of a folder' },
  target: { value: 'COLUMN', help: 'target column of a table (the last unless given)' },
  shape: { value: 'C,H,W', help: 'shape of one sample, where neither model nor data say it' },
  validation: { value: 'DATA', help: 'samples to measure on after each epoch; read like --data' },
  'validation-labels': { value: 'FILE', help: 'see --labels' },
  'validation-share': {
    value: 'SHARE',
    help: 'share of --data to hold back for that instead (0.1 unless given; 0: none)',
  },
};

/** Options of how to train. */
export const TRAINING_OPTIONS: OptionTable = {
  epochs: { value: 'N', help: 'times to go through the data (10 unless given)' },
  batch: { value: 'N', help: 'samples in a step (64 unless given)' },
  'learning-rate': { value: 'RATE', help: 'highest learning rate (2e-3 for adam and adamw, 0.05 for sgd)' },
  schedule: { value: 'SCHEDULE', help: `how the rate goes: ${names(SCHEDULES)} (cosine unless given)` },
  'warm-up': { value: 'SHARE', help: 'share of all steps over which the rate rises (0.05 unless given)' },
  optimiser: {
    value: 'OPTIMISER',
    help: `${names(OPTIMISERS)}, with options as in "sgd(momentum=0.9, nesterov=true, weightDecay=5e-4)" (adam unless given)`,
  },
  loss: { value: 'LOSS', help: `${names(LOSSES)} (what the labels ask for unless given)` },
  'class-weights': { value: 'WEIGHTS', help: 'balanced, or one number a class with commas between' },
  'label-smoothing': { value: 'SHARE', help: 'share of the target that is spread over all classes' },
  augment: {
    value: 'LIST',
    help: `changes to each sample, e.g. "shift(2),flip,cutout(8)": ${names(AUGMENTS)}`,
  },
  mixup: { value: 'ALPHA', help: 'mix samples with each other, with this strength' },
  'clip-gradients': { value: 'NORM', help: 'most that the joint norm of the gradients may be' },
  average: { value: 'DECAY', help: 'average the weights over the steps, e.g. with 0.999' },
  against: {
    value: 'OBJECTIVE',
    help: `train against attacks, e.g. "trades(eps=0.3, steps=10, beta=6), awp": ${names(OBJECTIVES)}`,
  },
  norm: { value: 'NORM', help: 'how a change is measured there: linf or l2 (linf unless given)' },
  constraint: {
    value: 'FILE',
    help: 'what attacked samples must satisfy: mask, table, series (docs/constraints.md); with --against',
  },
  'when-catastrophic': {
    value: 'WHAT',
    help: 'when single-step training collapses: stop, fall-back (to PGD, from the best epoch) or go-on (stop unless given)',
  },
  'keep-best': { help: 'write the weights of the best epoch on the validation samples, not the last' },
  patience: { value: 'N', help: 'stop after N epochs without a better one' },
  seed: { value: 'SEED', help: 'seed of weights, order and all random draws (0 unless given)' },
};

/** The wishes of {@link TRAINING_OPTIONS}. Errors: `option/invalid`. */
export function wishesFrom(given: Given): TrainingWishes {
  return {
    epochs: given.whole('epochs', 1),
    batch: given.whole('batch', 1),
    learningRate: numberFrom(given, 'learning-rate'),
    schedule: given.text('schedule'),
    warmUp: numberFrom(given, 'warm-up'),
    optimiser: given.text('optimiser'),
    loss: given.text('loss'),
    classWeights: given.text('class-weights'),
    labelSmoothing: numberFrom(given, 'label-smoothing'),
    augment: given.text('augment'),
    mixup: numberFrom(given, 'mixup'),
    clip: numberFrom(given, 'clip-gradients'),
    average: numberFrom(given, 'average'),
    against: given.text('against'),
    norm: given.choice('norm', ['linf', 'l2']),
    seed: given.whole('seed', 0),
    patience: given.whole('patience', 1),
    keepBest: given.flag('keep-best'),
    whenCatastrophic: given.choice('when-catastrophic', ['stop', 'fall-back', 'go-on']),
  };
}

/** How {@link MATERIAL_OPTIONS} say to read the training data. Errors: `option/invalid`. */
export function materialFrom(given: Given): Omit<MaterialOptions, 'input' | 'isReal' | 'signal'> {
  const shape = given.numbers('shape');
  if (shape?.some((d) => !Number.isInteger(d) || d < 1))
    throw new GlacisError(
      'option/invalid',
      `--shape: expected sizes of at least 1, got '${given.text('shape')}'`,
    );
  return {
    shape,
    labels: given.text('labels'),
    n: given.whole('n', 1),
    range: pairFrom(given, 'range'),
    layout: given.choice('layout', ['nchw', 'nhwc', 'auto']),
    imageSize: pairFrom(given, 'image-size'),
    target: given.text('target'),
  };
}

/** One number. Errors: `option/invalid`. */
export function numberFrom(given: Given, name: string): number | undefined {
  const values = given.numbers(name);
  if (values && values.length !== 1)
    throw new GlacisError('option/invalid', `--${name}: expected one number, got '${given.text(name)}'`);
  return values?.[0];
}

function pairFrom(given: Given, name: string): readonly [number, number] | undefined {
  const values = given.numbers(name);
  if (values && values.length !== 2)
    throw new GlacisError('option/invalid', `--${name}: expected two numbers, got '${given.text(name)}'`);
  return values && [values[0]!, values[1]!];
}
