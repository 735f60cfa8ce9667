import { GlacisError } from '../core/error.ts';
import { elementCount } from '../onnx/tensor.ts';
import type { DataOptions, Labels } from './dataset.ts';
import { isFloating, type NumberArray } from './element-type.ts';
import type { StoredArray } from './stored-array.ts';

/** Labels and what was decided about them. */
export interface ReadLabels {
  readonly labels: Labels;
  readonly classes?: readonly string[];
  readonly note: string;
}

/**
 * Reads an array of labels for `n` samples: `[n]`, `[n, 1]`, or one-hot rows `[n, k]`. Whole-number types become class
 * numbers, floating types regression targets, unless `task` says otherwise.
 * Errors: `data/mismatch` (another count or shape, or fractions where classes are wanted), `data/label-range`
 * (not an int32), `data/not-finite`.
 */
export async function labelsFromArray(
  array: StoredArray,
  n: number,
  task: DataOptions['task'],
  where: string,
  signal?: AbortSignal,
): Promise<ReadLabels> {
  const [count = 0, ...rest] = array.shape;
  if (array.shape.length === 0 || count !== n) {
    throw new GlacisError(
      'data/mismatch',
      `${where}: expected ${n} labels, one for each sample, got [${array.shape.join(', ')}]`,
    );
  }
  const width = elementCount(rest);
  if (rest.length > 1 || width < 1 || width > 65536) {
    throw new GlacisError(
      'data/mismatch',
      `${where}: expected labels [${n}], [${n}, 1] or one-hot [${n}, k], got [${array.shape.join(', ')}]`,
    );
  }
  const values = await array.read(0, n, signal);
  if (width > 1)
    return {
      labels: fromOneHot(values, n, width, where),
      note: `one-hot labels of ${width} classes turned into class numbers`,
    };
  const classes = task === 'classification' || (task !== 'regression' && !isFloating(array.type));
  const labels = labelsFromNumbers(values, classes, where);
  return {
    labels,
    note: noteFor(
      labels,
      task === 'classification' || task === 'regression' ? '' : ` (stored as ${array.type})`,
    ),
  };
}

/** Class numbers (`classes`) or regression targets from numbers; errors as in {@link labelsFromArray}. */
export function labelsFromNumbers(values: NumberArray, classes: boolean, where: string): Labels {
  const labels = classes ? new Int32Array(values.length) : new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = Number(values[i]);
    if (!Number.isFinite(value))
      throw new GlacisError('data/not-finite', `${where}: the label of sample ${i} is not a finite number`);
    if (classes && !Number.isInteger(value)) {
      throw new GlacisError(
        'data/mismatch',
        `${where}: expected class numbers, got a fraction at sample ${i} (a regression target? say so with task)`,
      );
    }
    if (classes && (value < -(2 ** 31) || value >= 2 ** 31)) {
      throw new GlacisError(
        'data/label-range',
        `${where}: expected class numbers that fit 32 bits, got another at sample ${i}`,
      );
    }
    labels[i] = value;
  }
  return labels;
}

/**
 * Labels of a table's target column from its cells as text. Cells that are all whole numbers (`0`, `12`) are class numbers;
 * all numbers with a decimal point or exponent somewhere are regression targets; other texts are names of classes, numbered
 * in the order of sorting.
 * Errors: `data/not-finite` (empty cell), and those of {@link labelsFromNumbers}.
 */
export function labelsFromTexts(
  texts: readonly string[],
  task: DataOptions['task'],
  where: string,
): ReadLabels {
  const empty = texts.findIndex((text) => text === '' || /^[+-]?(nan|inf|infinity)$/i.test(text));
  if (empty >= 0)
    throw new GlacisError('data/not-finite', `${where}: the label of sample ${empty} is empty or not finite`);
  if (texts.every(isNumberText)) {
    const whole = texts.every((text) => /^[+-]?\d+$/.test(text));
    const classes = task === 'classification' || (task !== 'regression' && whole);
    const labels = labelsFromNumbers(Float64Array.from(texts, Number), classes, where);
    return {
      labels,
      note: noteFor(
        labels,
        task === 'auto' || !task ? ` (written ${whole ? 'as whole' : 'with decimal'} numbers)` : '',
      ),
    };
  }
  if (task === 'regression') {
    const first = texts.findIndex((text) => !isNumberText(text));
    throw new GlacisError(
      'data/mismatch',
      `${where}: expected a number as the target of sample ${first}, got text`,
    );
  }
  const classes = [...new Set(texts)].sort();
  const numbers = new Map(classes.map((name, i) => [name, i]));
  const labels = Int32Array.from(texts, (text) => numbers.get(text)!);
  return { labels, classes, note: `labels are ${classes.length} class names, numbered in sorted order` };
}

/** Whether `text` is a plain decimal number, e.g. `-1.5e3`; `NaN`, `0x10` and empty text are not. */
export function isNumberText(text: string): boolean {
  // The two alternatives start differently, so that matching takes linear time.
  return /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(text);
}

function fromOneHot(values: NumberArray, n: number, k: number, where: string): Int32Array {
  const labels = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    let ones = 0;
    for (let c = 0; c < k; c++) {
      const value = Number(values[i * k + c]);
      if (value === 1) {
        ones++;
        labels[i] = c;
      } else if (value !== 0) ones = Number.NaN;
    }
    if (ones !== 1) {
      throw new GlacisError(
        'data/mismatch',
        `${where}: expected one label or one-hot rows of ${k}, got another row at sample ${i}`,
      );
    }
  }
  return labels;
}

function noteFor(labels: Labels, why: string): string {
  if (labels instanceof Float32Array) return `labels are regression targets${why}`;
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (const label of labels) {
    if (label < least) least = label;
    if (label > most) most = label;
  }
  return `labels are class numbers ${least} to ${most}${why}`;
}
