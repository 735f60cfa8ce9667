import { createHash } from 'node:crypto';
import { GlacisError } from '../core/error.ts';
import { elementCount } from '../onnx/tensor.ts';
import { openAdapter } from '../runtime/adapter.ts';
import { isEndpoint as isAddress } from '../runtime/endpoint-address.ts';
import type { Oracle } from '../runtime/oracle.ts';
import type { Predictor } from '../runtime/predictor.ts';
import { openRemote } from '../runtime/remote.ts';
import { worstGap } from '../runtime/soundness.ts';
import type { LoadOptions } from './load.ts';
import type { ModelSource } from './model-source.ts';
import type { Subject } from './subject.ts';

/** Whether `--model` names something that answers instead of an ONNX file: an address, or an adapter. */
export function isEndpoint(model: string): boolean {
  return isAddress(model) || /\.(m?js|ts)$/i.test(model);
}

/** Answers that differ by more than this share of the largest one are another answer. */
const RANDOM = 1e-4;
/** How far a row of probabilities may be from adding up to 1: they may be rounded to two digits. */
const ROUNDED = 0.005;
/** Stands in for a probability of 0, whose logarithm is no number. */
const LEAST = 1e-12;

/** An endpoint or adapter as a source. Errors: those of connecting. */
export async function endpointSource(options: LoadOptions): Promise<ModelSource> {
  const { oracle, name } = await connect(options);
  const shape = ['batch', ...oracle.sampleDims];
  return {
    digest: `endpoint:${createHash('sha256').update(name).digest('hex')}`,
    inputs: [{ name: 'input', type: 'float32', shape }],
    outputs: [{ name: 'output', type: 'float32', shape: ['batch', oracle.classes] }],
    weightBytes: 0,
    input: { name: 'input', dims: [null, ...oracle.sampleDims] },
    async open(_sampleDims, first) {
      try {
        return await openAnswers(oracle, first, options);
      } catch (thrown) {
        await oracle.close();
        throw thrown;
      }
    },
  };
}

/** A subject of which only the answers are visible. Errors: `data/not-finite`, those of asking. */
export async function openAnswers(
  oracle: Oracle,
  first: { readonly x: Float32Array; readonly count: number },
  {
    batch = oracle.batch,
    signal,
    tolerance,
    task,
  }: Pick<LoadOptions, 'batch' | 'signal' | 'tolerance' | 'task'>,
) {
  const { classes, sampleDims } = oracle;
  const queries = { forward: 0, gradient: 0 };
  const most = Math.min(batch, oracle.batch);
  const predictor = answering(oracle, most);
  const answers = await predictor.predict(first.x, first.count, signal);
  const again = await predictor.predict(first.x, first.count, signal);
  queries.forward += 2 * first.count;
  const nan = answers.findIndex((v) => !Number.isFinite(v));
  if (nan >= 0)
    throw new GlacisError(
      'data/not-finite',
      `endpoint: expected numbers, got one that is not finite for sample ${Math.floor(nan / classes)}; is the input in the range that the model takes (--range)?`,
    );
  const unit = answers.every((v) => v >= 0 && v <= 1);
  const isRegression = tolerance !== undefined || task === 'regression';
  const activation =
    isRegression || !unit ? undefined : activationOf(answers, classes, task === 'multilabel');
  const toLogits = logitsFrom(activation);
  const subject: Subject = {
    sampleDims,
    classes,
    target: undefined,
    oracle: {
      ...oracle,
      batch: most,
      ask: async (points, n, cancel) => toLogits(await oracle.ask(points, n, cancel)),
    },
    queries,
    predictor,
    activation,
    toLogits,
  };
  const notes = [
    'only the answers of an endpoint are visible: attacks that need gradients cannot run, and each question counts',
  ];
  if (activation) notes.push(`answers lie between 0 and 1 and were read as probabilities (${activation})`);
  return { subject, batch: most, randomised: !(worstGap(answers, again, classes) <= RANDOM), unit, notes };
}

/** What must have made answers in [0, 1]: rows that add up to 1 are a softmax, single answers and other rows a sigmoid. */
function activationOf(
  answers: Float32Array,
  classes: number,
  manyLabels: boolean,
): 'Softmax' | 'Sigmoid' | undefined {
  if (classes === 1 || manyLabels) return 'Sigmoid';
  for (let at = 0; at < answers.length; at += classes) {
    const total = answers.subarray(at, at + classes).reduce((sum, p) => sum + p, 0);
    if (!(Math.abs(total - 1) <= ROUNDED * classes)) return undefined;
  }
  return 'Softmax';
}

/** Scores that rise with the answers and spread out near 0 and 1, so that small changes stay visible. */
function logitsFrom(activation: 'Softmax' | 'Sigmoid' | undefined): (outputs: Float32Array) => Float32Array {
  if (activation === 'Softmax') return (outputs) => outputs.map((p) => Math.log(Math.max(p, LEAST)));
  if (activation === 'Sigmoid')
    return (outputs) => outputs.map((p) => Math.log(Math.max(p, LEAST) / Math.max(1 - p, LEAST)));
  return (outputs) => outputs;
}

/** The endpoint's own answers, in batches, several requests under way. */
function answering(oracle: Oracle, batch: number): Predictor {
  const size = elementCount(oracle.sampleDims);
  const { classes, parallel } = oracle;
  return {
    async predict(x, n, signal) {
      if (x.length < n * size)
        throw new GlacisError(
          'data/mismatch',
          `endpoint: expected ${n} samples of [${oracle.sampleDims.join(', ')}], got ${x.length} numbers`,
        );
      const all = new Float32Array(n * classes);
      for (let at = 0; at < n; at += batch * parallel) {
        const starts = Array.from({ length: parallel }, (_, i) => at + i * batch).filter(
          (start) => start < n,
        );
        await Promise.all(
          starts.map(async (start) => {
            const count = Math.min(batch, n - start);
            const answers = await oracle.ask(x.subarray(start * size, (start + count) * size), count, signal);
            all.set(answers, start * classes);
          }),
        );
      }
      return all;
    },
    close: () => oracle.close(),
  };
}

/** How an endpoint is asked. */
export interface EndpointOptions {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly format?: 'binary' | 'json' | 'auto' | undefined;
  readonly parallel?: number | undefined;
  readonly timeoutMs?: number | undefined;
  /** The endpoint answers with class numbers only, of this many classes. */
  readonly labelsOnly?: number | undefined;
}

/** The endpoint and how it may be named: without credentials. */
async function connect(options: LoadOptions): Promise<{ readonly oracle: Oracle; readonly name: string }> {
  const { model, batch, input, output, shape, say, signal } = options;
  const { labelsOnly, ...endpoint } = options.endpoint ?? {};
  if (!isAddress(model))
    return { oracle: await openAdapter(model, { batch, parallel: endpoint.parallel }), name: model };
  const oracle = await openRemote(model, {
    ...endpoint,
    labels: labelsOnly,
    batch,
    input,
    output,
    sampleDims: shape,
    say,
    signal,
  });
  return { oracle, name: oracle.url };
}
