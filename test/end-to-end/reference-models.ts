import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AssessOptions, assess } from '../../src/assess/assess.ts';
import type { Spec } from '../../src/core/options.ts';
import { epsFrom } from '../../src/threat/norm.ts';

const SHARED = process.env.GLACIS_SHARED ?? '../shared';
const MNIST = join(SHARED, 'data/mnist');

/** Accuracies that another implementation measured on the first samples of the test set (same steps, last iterate). */
export interface Reference {
  readonly name: string;
  readonly n: number;
  readonly eps: number;
  readonly clean: number;
  readonly fgsm: number;
  /** Many steps from the input itself. */
  readonly pgd: number;
  readonly pgdSteps: number;
  readonly stepSize: number;
}

interface Measured {
  readonly clean: number;
  readonly fgsm: number;
  readonly pgd40_no_random_start?: number;
  readonly pgd10_no_random_start?: number;
  readonly eps: number | string;
  readonly step: number | string;
}

/** The trained models with figures of another implementation. */
export const REFERENCE_MODELS = [
  'cifar10-resnet14',
  'mnist-cnn',
  'mnist-cnn-adv',
  'mnist-gru',
  'mnist-lstm',
  'mnist-mlp',
  'mnist-vit',
] as const;

/** Whether GLACIS_SHARED names a folder with models and data. */
export const haveReferences = existsSync(join(SHARED, 'models')) && existsSync(MNIST);

/** The figures that lie beside a model. */
export function referenceFor(name: (typeof REFERENCE_MODELS)[number]): Reference {
  const path = join(SHARED, 'models', `${name}.json`);
  const figures = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  const key = Object.keys(figures).find((k) => /^first_\d+$/.test(k));
  if (key === undefined) throw new Error(`${path}: no figures of the first samples`);
  const m = figures[key] as Measured;
  return {
    name,
    n: Number(key.slice('first_'.length)),
    eps: epsFrom(String(m.eps)),
    clean: m.clean,
    fgsm: m.fgsm,
    pgd: m.pgd40_no_random_start ?? m.pgd10_no_random_start ?? Number.NaN,
    pgdSteps: m.pgd40_no_random_start === undefined ? 10 : 40,
    stepSize: epsFrom(String(m.step)),
  };
}

/** The file of a model. */
export const modelOf = (name: string): string => join(SHARED, 'models', `${name}.onnx`);

/** The test samples of a model. */
export const dataOf = (name: string): string =>
  name.startsWith('cifar10')
    ? join(SHARED, 'data/cifar10/test.npz')
    : `${MNIST}/t10k-images-idx3-ubyte.gz,${MNIST}/t10k-labels-idx1-ubyte.gz`;

/** Assesses the first `n` samples as the reference did. */
export async function measure(reference: Reference, n: number, attacks: AssessOptions['attacks']) {
  const out = mkdtempSync(join(tmpdir(), 'glacis-reference-'));
  try {
    const { assessment } = await assess({
      model: modelOf(reference.name),
      data: dataOf(reference.name),
      n,
      attacks,
      norm: 'linf',
      eps: [reference.eps],
      out,
    });
    return assessment;
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

/** The reference's iterated attack. */
export function pgdOf({ pgdSteps, stepSize }: Reference): Spec {
  return { name: 'pgd', options: { steps: pgdSteps, stepSize, restarts: 0 } };
}
