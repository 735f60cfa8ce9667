import { GlacisError } from '../core/error.ts';
import { openDataset } from '../data/index.ts';
import { inlineFunctions } from '../onnx/functions.ts';
import type { Model, ValueInfo } from '../onnx/model.ts';
import { readModel } from '../onnx/read.ts';
import { type Tensor, tensorFrom } from '../onnx/tensor.ts';
import { toFloat32 } from '../onnx/to-float32.ts';
import type { Engine } from '../runtime/engine.ts';
import type { FixedInputs } from '../runtime/fixed-input.ts';
import { normaliseInput, PIXELS } from '../transform/normalise-input.ts';
import type { LoadOptions } from './load.ts';
import type { ModelSource } from './model-source.ts';
import { openSubject } from './open-subject.ts';
import type { TensorSummary } from './result.ts';

/** A model file, read and checked, ready to be opened for data. Errors: those of reading, `option/invalid`, `model/unsupported-task`. */
export async function fileSource(engine: Engine, options: Omit<LoadOptions, 'data'>): Promise<ModelSource> {
  const { signal } = options;
  const file = await readModel(options.model, signal ? { signal } : {});
  const fixed = await fixedInputs(file, options.fix ?? {}, signal);
  const wide = toFloat32(inlineFunctions(file), { float16: true });
  const input = chooseInput(wide.model, options.input, fixed);
  const dims = input.dims && options.shape ? [input.dims[0] ?? null, ...options.shape] : input.dims;
  if (dims === undefined && !options.shape)
    throw new GlacisError(
      'model/dynamic-shape',
      `input ${input.name}: expected a shape in the file, found none; give one sample's with --shape`,
    );
  return {
    digest: file.file.digest,
    inputs: file.graph.inputs.map(tensorSummary),
    outputs: file.graph.outputs.map(tensorSummary),
    weightBytes: [...file.graph.initializers.values()].reduce((sum, t) => sum + t.data.length, 0),
    input: { name: input.name, dims: dims ?? [null, ...(options.shape ?? [])] },
    async open(sampleDims, first) {
      const notes: string[] = [];
      let model = wide.model;
      let deployed: Model = wide.notes.length > 0 ? wide.model : file;
      let name = input.name;
      if (wide.notes.length > 0)
        notes.push(
          `${wide.notes.map((n) => `${n.role} ${n.name} is ${n.was}`).join('; ')}: run and verified in float32`,
        );
      if (options.mean || options.std) {
        const mean = options.mean ?? [0];
        const std = options.std ?? [1];
        model = normaliseInput(model, name, sampleDims, mean, std);
        deployed = normaliseInput(deployed, name, sampleDims, mean, std);
        name = PIXELS;
        notes.push(
          `the input is normalised with mean ${mean.join(', ')} and std ${std.join(', ')} in front of the model: eps and range are in units before that`,
        );
      }
      const { output, batch } = options;
      const opened = await openSubject(engine, {
        model,
        deployed,
        input: name,
        sampleDims,
        fixed,
        output,
        batch,
        first,
        signal,
      });
      const { activation } = opened.subject;
      if (activation)
        notes.push(
          `the final ${activation} was left out for the attack: it works on the logits behind it; answers are verified on the whole file`,
        );
      return { ...opened, notes: [...opened.notes, ...notes] };
    },
  };
}

function tensorSummary({ name, type }: ValueInfo): TensorSummary {
  return type.kind === 'tensor'
    ? { name, type: type.dtype, shape: (type.dims ?? []).map((d) => d ?? '?') }
    : { name, type: type.description, shape: [] };
}

function chooseInput(
  model: Model,
  wanted: string | undefined,
  fixed: FixedInputs,
): { readonly name: string; readonly dims: readonly (number | string | null)[] | undefined } {
  const free = model.graph.inputs.filter(({ name }) => !Object.hasOwn(fixed, name));
  const names = model.graph.inputs.map((i) => i.name).join(', ');
  const chosen: ValueInfo | undefined =
    wanted === undefined ? (free.length === 1 ? free[0] : undefined) : free.find((i) => i.name === wanted);
  if (!chosen)
    throw new GlacisError(
      'option/invalid',
      wanted === undefined
        ? `model: expected one input to attack, got ${free.length === 0 ? 'none' : names}; choose it with --input and fix the others with --fix NAME=FILE.npy`
        : `--input: expected one of ${names}, got '${wanted}'`,
    );
  const others = free.filter((i) => i !== chosen).map((i) => i.name);
  if (others.length > 0)
    throw new GlacisError(
      'option/invalid',
      `model: expected values for the inputs that are not attacked (${others.join(', ')}), got none; give them with --fix NAME=FILE.npy`,
    );
  if (chosen.type.kind !== 'tensor' || chosen.type.dtype !== 'float32')
    throw new GlacisError(
      'model/unsupported-task',
      `input ${chosen.name}: expected float32, got ${chosen.type.kind === 'tensor' ? chosen.type.dtype : chosen.type.description}; integer inputs (token ids, raw bytes) have no gradient, attack an embedding or a float input instead`,
    );
  return { name: chosen.name, dims: chosen.type.dims };
}

async function fixedInputs(
  model: Model,
  files: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<FixedInputs> {
  const fixed: Record<string, Tensor> = {};
  for (const [name, path] of Object.entries(files)) {
    const info = model.graph.inputs.find((i) => i.name === name);
    if (info?.type.kind !== 'tensor')
      throw new GlacisError(
        'option/invalid',
        `--fix: expected one of ${model.graph.inputs.map((i) => i.name).join(', ')}, got '${name}'`,
      );
    const array = await openDataset(path, signal ? { signal } : {});
    const values = await array.read(0, array.n, signal);
    await array.close();
    // A plain vector [n] is stored as n samples of one number.
    const flat = array.sampleShape.length === 1 && array.sampleShape[0] === 1;
    const rank = info.type.dims?.length;
    const dims = flat && rank === 1 ? [array.n] : [array.n, ...array.sampleShape];
    fixed[name] = tensorFrom(info.type.dtype, dims, Float64Array.from(values as ArrayLike<number>, Number));
  }
  return fixed;
}
