import { basename } from 'node:path';
import { GlacisError } from '../core/error.ts';
import type { Engine } from '../runtime/engine.ts';
import type { WhiteBoxTarget } from '../runtime/target.ts';
import { isEndpoint } from './endpoint-source.ts';
import { fileSource } from './file-source.ts';
import type { LoadOptions } from './load.ts';

/** Another model, of which everything is visible, for attacks that make their examples there. */
export interface SurrogateOptions {
  /** Path of the ONNX file. */
  readonly model: string;
  /** Normalisation in front of it; the model under attack has its own. */
  readonly mean?: readonly number[] | undefined;
  readonly std?: readonly number[] | undefined;
}

/** A surrogate, open. */
export interface Surrogate {
  readonly digest: string;
  readonly weightBytes: number;
  readonly target: WhiteBoxTarget;
  /** What a reader should know, its name and digest first. */
  readonly notes: readonly string[];
}

/**
 * Opens the surrogate for the samples of the model under attack. It must take the same samples and give as many outputs, whose order means
 * the same; its input and output are the only ones it has.
 * Errors: those of reading and opening a file, with its name; `option/invalid` for an endpoint, other samples or other outputs.
 */
export async function openSurrogate(
  engine: Engine,
  { model, mean, std }: SurrogateOptions,
  common: Pick<LoadOptions, 'shape' | 'batch' | 'signal'>,
  expected: { readonly sampleDims: readonly number[]; readonly classes: number },
  first: { readonly x: Float32Array; readonly count: number },
): Promise<Surrogate> {
  const name = basename(model);
  if (isEndpoint(model))
    throw new GlacisError(
      'option/invalid',
      `--surrogate: expected an ONNX file, whose gradients are visible, got ${name}`,
    );
  const { shape, batch, signal } = common;
  try {
    const source = await fileSource(engine, { model, mean, std, shape, batch, signal });
    const dims = source.input.dims.slice(1);
    const fits =
      dims.length === expected.sampleDims.length &&
      dims.every((d, i) => typeof d !== 'number' || d < 0 || d === expected.sampleDims[i]);
    if (!fits)
      throw new GlacisError(
        'option/invalid',
        `--surrogate: expected a model of the samples that MODEL takes, [${expected.sampleDims.join(', ')}], got one of [${dims.map((d) => d ?? '?').join(', ')}]`,
      );
    const { subject, notes } = await source.open(expected.sampleDims, first);
    await subject.predictor.close();
    const { target, classes } = subject;
    if (!target || classes !== expected.classes) {
      await target?.close();
      throw new GlacisError(
        'option/invalid',
        `--surrogate: expected ${expected.classes} outputs, as MODEL gives, got ${classes}`,
      );
    }
    const { digest, weightBytes } = source;
    return {
      digest,
      weightBytes,
      target,
      notes: [`surrogate: ${name}, ${digest}`, ...notes.map((note) => `surrogate: ${note}`)],
    };
  } catch (thrown) {
    if (!(thrown instanceof GlacisError) || thrown.message.includes(name)) throw thrown;
    throw new GlacisError(thrown.code, `${name}: ${thrown.message}`, { cause: thrown });
  }
}
