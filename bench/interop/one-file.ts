import { join } from 'node:path';
import { GlacisError } from '../../src/core/error.ts';
import { inlineFunctions } from '../../src/onnx/functions.ts';
import type { Value } from '../../src/onnx/graph-builder.ts';
import type { Model } from '../../src/onnx/model.ts';
import { readModel } from '../../src/onnx/read.ts';
import { toFloat32 } from '../../src/onnx/to-float32.ts';
import type { HostTensor } from '../../src/runtime/array.ts';
import type { Engine } from '../../src/runtime/engine.ts';
import { vjp } from '../../src/transform/gradient/vjp.ts';
import { toBlockedLayout } from '../../src/transform/layout/blocked.ts';
import { findLogits } from '../../src/transform/logits.ts';
import { crossEntropyGradient } from '../../src/transform/loss.ts';
import { type SpecialiseOptions, specialise } from '../../src/transform/specialise.ts';
import { type Answers, readAnswers } from './answers.ts';
import { type FoundWeight, findWeights } from './weights.ts';

/** An exported file and PyTorch's answers about it. */
export interface ExportedFile {
  readonly folder: string;
  readonly file: string;
  readonly reference: string;
  /** Answers for three samples, for a file made for one. */
  readonly lifted: string;
  readonly loss: 'cross-entropy' | 'squares';
  readonly quantised: boolean;
  /** A file whose own answers are further from PyTorch's is something else than the network. */
  readonly tolerance: number;
}

/** How far one way of computing is from the reference, relative to the largest element. */
export interface Apart {
  readonly logits: number;
  readonly gradient: number;
  /** Cosine of the angle between the gradients. */
  readonly cosine: number;
  /** Of each weight that was found in the file. */
  readonly weights: readonly number[];
}

/** What the engine made of a file. */
export interface Outcome {
  /** The file itself in ONNX Runtime against PyTorch; `undefined` where inputs are 16-bit, or the runtime refuses the file. */
  readonly exported: number | undefined;
  /** What the runtime says where it refuses the file as it stands. */
  readonly refused?: string;
  /** By way: `plain`, `blocked`, each also `lifted` where the file was made for one sample. */
  readonly ways: Readonly<Record<string, Apart | { readonly error: string }>>;
}

/** Reads, differentiates and runs one file in every way. A file that cannot be read throws. */
export async function checkFile(engine: Engine, block: number, wanted: ExportedFile): Promise<Outcome> {
  const file = await readModel(join(wanted.folder, wanted.file));
  const answers = await readAnswers(wanted.folder, wanted.reference);
  const { model, notes } = toFloat32(inlineFunctions(file), { float16: true });
  let refused: string | undefined;
  const own =
    notes.length > 0
      ? undefined
      : await runWhole(engine, file, answers).catch((error: Error) => {
          refused = error.message;
          return undefined;
        });
  const exported =
    own && !findLogits(specialise(model, { batch: answers.batch })).stripped
      ? apart(own, answers.logits.data as Float64Array)
      : undefined;
  // Quantised files, and those that an exporter got wrong, are held to what they answer themselves.
  const outputs = wanted.quantised || (exported ?? 0) > wanted.tolerance ? own : undefined;
  const exact = { answers, ...(outputs && { outputs }) };
  const ways: Record<string, Outcome['ways'][string]> = {};
  for (const layout of ['plain', 'blocked'] as const) {
    if (layout === 'blocked' && block === 0) continue;
    const size = layout === 'plain' ? 0 : block;
    ways[layout] = await attempt(() => compare(engine, model, wanted, exact, size, {}));
  }
  if (answers.batch === 1) {
    const three = { answers: await readAnswers(wanted.folder, wanted.lifted) };
    ways.lifted = await attempt(() => compare(engine, model, wanted, three, block, { liftFrom: 1 }));
  }
  return { exported, ...(refused !== undefined && { refused }), ways };
}

async function attempt(run: () => Promise<Apart>): Promise<Apart | { readonly error: string }> {
  try {
    return await run();
  } catch (error) {
    return {
      error: error instanceof GlacisError ? `${error.code}: ${error.message}` : `${(error as Error).stack}`,
    };
  }
}

/** The first output of the file as it stands. */
async function runWhole(engine: Engine, file: Model, answers: Answers): Promise<ArrayLike<number>> {
  const session = await engine.open(file);
  const outputs = await session.run(answers.feeds);
  await session.close();
  return outputs[file.graph.outputs[0]!.name]!.data as Float32Array;
}

interface Expected {
  readonly answers: Answers;
  /** What the file itself answers, where that is what counts. */
  readonly outputs?: ArrayLike<number>;
}

/** Logits and input gradient with the weights as constants; then the weights' gradients with those as inputs. */
async function compare(
  engine: Engine,
  model: Model,
  wanted: ExportedFile,
  { answers, outputs }: Expected,
  block: number,
  options: SpecialiseOptions,
): Promise<Apart> {
  const settings = { batch: answers.batch, ...options };
  const attacked = await results(engine, model, wanted, answers, block, settings, []);
  const found = wanted.quantised ? [] : findWeights(model, answers);
  const trained =
    found.length === 0 ? {} : await results(engine, model, wanted, answers, block, settings, found);
  const got = attacked.gradient!.data as Float32Array;
  return {
    logits: apart(attacked.logits!.data as Float32Array, outputs ?? (answers.logits.data as Float64Array)),
    gradient: apart(got, answers.gradient.data as Float64Array),
    cosine: cosine(got, answers.gradient.data as Float64Array),
    weights: found.map(({ initializer, gradient }) =>
      apart(trained[`gradient of ${initializer}`]!.data as Float32Array, gradient),
    ),
  };
}

async function results(
  engine: Engine,
  model: Model,
  { loss, quantised }: ExportedFile,
  answers: Answers,
  block: number,
  options: SpecialiseOptions,
  weights: readonly FoundWeight[],
): Promise<Record<string, HostTensor>> {
  const names = weights.map((w) => w.initializer);
  const trace = specialise(model, { ...options, parameters: names });
  const { b } = trace;
  const { logits } = findLogits(trace);
  const labels = b.builder.input('labels', 'int64', answers.labels.dims);
  const grad = loss === 'squares' ? b.mul(logits, 2) : crossEntropyGradient(b, logits, labels);
  const parameters = names.map((name) => trace.parameters.get(name)!);
  const [gradient, ...others] = vjp(b, [{ value: logits, grad }], [trace.inputs.get('x')!, ...parameters], {
    ...(quantised && { rounding: 'straight-through' as const }),
  });
  const outputs: Record<string, Value> = { logits, gradient: gradient! };
  for (const [i, name] of names.entries()) outputs[`gradient of ${name}`] = others[i]!;
  const laid = block > 0 ? toBlockedLayout(b.builder, outputs, block) : { builder: b.builder, outputs };
  const session = await engine.open(laid.builder.build(laid.outputs));
  const feeds: Record<string, HostTensor> = { ...answers.feeds, labels: answers.labels };
  for (const name of names) {
    const { dims, data } = model.graph.initializers.get(name)!;
    feeds[name] = { dtype: 'float32', dims, data: new Float32Array(new Uint8Array(data).buffer) };
  }
  try {
    return await session.run(Object.fromEntries(session.inputs.map((name) => [name, feeds[name]!])));
  } finally {
    await session.close();
  }
}

/** Largest difference over the largest element of `reference`; infinite where the sizes differ or a number is not finite. */
function apart(got: ArrayLike<number>, reference: ArrayLike<number>): number {
  if (got.length !== reference.length) return Number.POSITIVE_INFINITY;
  let most = 0;
  let scale = 0;
  for (let i = 0; i < got.length; i++) {
    const distance = Math.abs(got[i]! - reference[i]!);
    if (!Number.isFinite(distance)) return Number.POSITIVE_INFINITY;
    most = Math.max(most, distance);
    scale = Math.max(scale, Math.abs(reference[i]!));
  }
  return scale === 0 ? most : most / scale;
}

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  return aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb);
}
