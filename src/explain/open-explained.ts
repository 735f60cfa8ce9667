import { GlacisError } from '../core/error.ts';
import { randomFrom } from '../core/random.ts';
import { inlineFunctions } from '../onnx/functions.ts';
import { parseModel } from '../onnx/read.ts';
import { elementCount } from '../onnx/tensor.ts';
import { toFloat32 } from '../onnx/to-float32.ts';
import type { Engine } from '../runtime/engine.ts';
import { openPredictor } from '../runtime/predictor.ts';
import { compareWithDeployed } from '../runtime/soundness.ts';
import { openTarget } from '../runtime/target.ts';
import { attributionsOf, shownAttribution } from './attributions.ts';
import type { ExplainedModel, ExplainQuestion } from './messages.ts';
import { outputGradients } from './output-gradients.ts';

/**
 * Opens a model for its gradients, tries it once, and gives what explains its answers: attributions as they are shown, sample after sample. Errors: those of reading and
 * opening a model, `gradient/unsupported`, `run/failed` where its gradient graph does not answer like the file, or the file gives something else each time.
 */
export async function openExplained(
  engine: Engine,
  { bytes, input, output, sampleDims }: ExplainedModel,
): Promise<(question: ExplainQuestion) => Promise<Float32Array>> {
  const file = parseModel(bytes);
  const wide = toFloat32(inlineFunctions(file), { float16: true });
  const target = openTarget(engine, wide.model, { input, output, sampleDims });
  const size = elementCount(sampleDims);
  const rng = randomFrom(0, 'explained');
  const some = Float32Array.from({ length: size }, () => rng.uniform());
  const deployed = wide.notes.length > 0 ? wide.model : file;
  const predictor = await openPredictor(engine, deployed, { input, output, sampleDims, batch: 1 });
  const { randomised } = await compareWithDeployed({ target, predictor }, some, 1, undefined);
  await predictor.close();
  if (randomised)
    throw new GlacisError(
      'run/failed',
      'model: expected the same answer twice; one that varies is not explained',
    );
  const ask = outputGradients(target);
  await ask(some, 0, 1);
  return async ({ x, outputs, method, baseline, decimals }) => {
    const all = new Float32Array(x.length);
    for (const [row, which] of outputs.entries()) {
      const sample = x.subarray(row * size, (row + 1) * size);
      const values = await attributionsOf(ask, sample, which, { method, baseline });
      all.set(shownAttribution(values, decimals), row * size);
    }
    return all;
  };
}
