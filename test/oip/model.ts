import { randomFrom } from '../../src/core/random.ts';
import {
  floatsOf,
  floatTensor,
  type InferRequest,
  type ModelMetadata,
  type Tensor,
} from '../../src/oip/index.ts';

/** The model of a test server: a function, and how it is offered. */
export interface ServedModel {
  /** Shape of one sample. */
  readonly sampleShape: readonly number[];
  /** Numbers a row. */
  readonly outputs: number;
  /** The answers `[n, outputs]` to `[n, …sampleShape]`. */
  readonly answer: (x: Float32Array, n: number) => Float32Array | Promise<Float32Array>;
  /** `model` unless given. */
  readonly name?: string;
  /** Name of the input; `x` unless given. */
  readonly input?: string;
  /** Name of the output; `y` unless given. */
  readonly output?: string;
  /** Type of the input and of scores; `FP32` unless given. */
  readonly datatype?: 'FP16' | 'BF16' | 'FP32' | 'FP64';
  /** What the metadata say instead of the truth, e.g. `{ inputs: [], outputs: [] }`. */
  readonly metadata?: Partial<ModelMetadata>;
  /** The only batch size; any without. */
  readonly batch?: number;
  /** Larger batches are refused, as a proxy does it (413; unless given) or Triton (400). */
  readonly most?: { readonly samples: number; readonly status?: 400 | 413 };
  /** What is answered: the scores as they are (unless given), rounded, with noise, or only the number of the greatest. */
  readonly answers?:
    | 'scores'
    | 'labels'
    | { readonly digits: number }
    | { readonly noise: number; readonly seed: number };
}

/** Names and types with their defaults. */
export function namesOf(model: ServedModel) {
  const { name = 'model', input = 'x', output = 'y', datatype = 'FP32' } = model;
  return { name, input, output, datatype };
}

/** What the server says of the model. */
export function metadataOf(model: ServedModel): ModelMetadata {
  const { name, input, output, datatype } = namesOf(model);
  const rows = model.batch ?? -1;
  return {
    name,
    versions: ['1'],
    platform: 'test',
    inputs: [{ name: input, datatype, shape: [rows, ...model.sampleShape] }],
    outputs: [
      model.answers === 'labels'
        ? { name: output, datatype: 'INT64', shape: [rows] }
        : { name: output, datatype, shape: [rows, model.outputs] },
    ],
    ...model.metadata,
  };
}

/** Why a question is refused, or `undefined`. */
export function refusalOf(
  model: ServedModel,
  { inputs }: InferRequest,
): { readonly status: number; readonly text: string } | undefined {
  const { input, datatype } = namesOf(model);
  const [given, ...others] = inputs;
  if (!given || others.length > 0 || given.name !== input || given.datatype !== datatype)
    return { status: 400, text: `expected one input ${input} of ${datatype}` };
  const [n = 0, ...sample] = given.shape;
  if (sample.join() !== model.sampleShape.join() || (model.batch !== undefined && n !== model.batch))
    return { status: 400, text: `unexpected shape for input '${input}'` };
  if (model.most && n > model.most.samples)
    return {
      status: model.most.status ?? 413,
      text: `inference request batch-size must be <= ${model.most.samples}`,
    };
  return undefined;
}

/** The answer to question number `question`, which was not refused. */
export async function answerOf(model: ServedModel, asked: InferRequest, question: number): Promise<Tensor> {
  const { output, datatype } = namesOf(model);
  const { outputs, answers = 'scores' } = model;
  const [given] = asked.inputs as readonly [Tensor];
  const n = given.shape[0]!;
  const scores = Float32Array.from(await model.answer(floatsOf(given), n));
  if (answers === 'labels') {
    const labels = BigInt64Array.from({ length: n }, (_, i) => {
      const row = scores.subarray(i * outputs, (i + 1) * outputs);
      return BigInt(row.indexOf(Math.max(...row)));
    });
    return { name: output, datatype: 'INT64', shape: [n], data: labels };
  }
  const rng = randomFrom(
    typeof answers === 'object' && 'seed' in answers ? answers.seed : 0,
    'noise',
    question,
  );
  const shown = scores.map((score) => {
    if (answers === 'scores') return score;
    return 'digits' in answers ? Number(score.toFixed(answers.digits)) : score + answers.noise * rng.normal();
  });
  return floatTensor(output, datatype, [n, outputs], shown);
}
