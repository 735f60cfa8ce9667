import { GlacisError } from '../core/error.ts';
import { checkLabels, type Labels } from '../data/index.ts';
import {
  binaryGoal,
  classificationGoal,
  type Goal,
  multilabelGoal,
  regressionGoal,
  type Task,
} from '../threat/goal.ts';

/** What decides how outputs are read. */
export interface TaskFacts {
  /** Outputs per sample. */
  readonly classes: number;
  readonly labels: Labels;
  /** Labels per sample: 1, or one an output. */
  readonly width: number;
  /** What the user says; inferred without. */
  readonly task?: Task | undefined;
  /** How far a regression may be off, in the output's units. */
  readonly tolerance?: number | undefined;
}

/**
 * What the model's outputs mean: real labels (or `tolerance`) make a regression, several labels a sample a multilabel
 * model, one output with labels 0 and 1 a binary classifier, several outputs a classifier.
 * Errors: `model/unsupported-task`, `data/label-range`, `data/mismatch`, `option/invalid`.
 */
export function taskFor({ classes, labels, width, task: asked, tolerance }: TaskFacts): Task {
  const task = asked ?? inferred(classes, labels, width, tolerance);
  if (task === 'regression') {
    if (tolerance === undefined)
      throw new GlacisError(
        'model/unsupported-task',
        `model: the labels are real numbers, which makes it a regression; say with --tolerance by how much (in the output's units) an answer may be off and still count as right`,
      );
    expectWidth(classes, width, labels);
  } else if (task === 'classification') {
    if (width !== 1)
      throw new GlacisError('data/mismatch', `labels: expected one class a sample, got ${width} values`);
    if (classes < 2)
      throw new GlacisError(
        'model/unsupported-task',
        `model: expected two outputs or more for classification, got ${classes}; for one output use --task binary or --tolerance`,
      );
    checkLabels(labels, classes);
  } else {
    if (task === 'binary' && classes !== 1)
      throw new GlacisError(
        'model/unsupported-task',
        `model: expected one output for --task binary, got ${classes}`,
      );
    expectWidth(classes, width, labels);
    checkLabels(labels instanceof Int32Array ? labels : Int32Array.from(labels), 2);
  }
  return task;
}

/** The goal of an untargeted attack on samples with these labels. */
export function goalFor(
  task: Task,
  labels: ArrayLike<number>,
  classes: number,
  tolerance: number | undefined,
): Goal {
  switch (task) {
    case 'classification':
      return classificationGoal(labels, classes);
    case 'binary':
      return binaryGoal(labels);
    case 'multilabel':
      return multilabelGoal(labels, classes);
    case 'regression':
      return regressionGoal(labels, classes, tolerance ?? Number.NaN);
  }
}

function inferred(classes: number, labels: Labels, width: number, tolerance: number | undefined): Task {
  if (tolerance !== undefined || labels instanceof Float32Array) return 'regression';
  if (width > 1) return 'multilabel';
  return classes === 1 ? 'binary' : 'classification';
}

function expectWidth(classes: number, width: number, labels: Labels): void {
  if (width === classes) return;
  throw new GlacisError(
    'data/mismatch',
    `labels: expected ${classes} values a sample, one for each output, got ${width} (${labels.length} in all)`,
  );
}
