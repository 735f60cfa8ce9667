import { inlineFunctions } from '../../onnx/functions.ts';
import type { Model } from '../../onnx/model.ts';
import { toFloat32 } from '../../onnx/to-float32.ts';
import type { Engine } from '../../runtime/engine.ts';
import { openPredictor, type Predictor } from '../../runtime/predictor.ts';
import { normaliseInput, PIXELS } from '../../transform/normalise-input.ts';
import type { LoadOptions } from '../load.ts';

/** Which output of a model is asked for, and for what samples. */
export interface DeployedOptions extends Pick<LoadOptions, 'input' | 'mean' | 'std'> {
  readonly output: string;
  readonly sampleDims: readonly number[];
  readonly batch: number;
}

/** A model that takes samples as the data have them: normalised in front where that is asked for, in float32 where it has 16-bit floats. */
export function asDataHaveIt(
  model: Model,
  { input, mean, std, sampleDims }: Pick<DeployedOptions, 'input' | 'mean' | 'std' | 'sampleDims'>,
): { readonly model: Model; readonly input: string } {
  const wide = toFloat32(inlineFunctions(model), { float16: true });
  const deployed = wide.notes.length > 0 ? wide.model : model;
  const own = input ?? model.graph.inputs[0]!.name;
  if (!mean && !std) return { model: deployed, input: own };
  return { model: normaliseInput(deployed, own, sampleDims, mean ?? [0], std ?? [1]), input: PIXELS };
}

/** Any output of a model as it is deployed. Errors: those of `openPredictor`. */
export function openDeployed(engine: Engine, file: Model, options: DeployedOptions): Promise<Predictor> {
  const { model, input } = asDataHaveIt(file, options);
  return openPredictor(engine, model, { ...options, input });
}
