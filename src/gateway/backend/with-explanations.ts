import { asGlacisError } from '../../core/error.ts';
import { type Explainer, openExplainer } from '../../explain/open-explainer.ts';
import type { Model } from '../../onnx/model.ts';
import { fitsOneFile, serializeModel } from '../../onnx/write.ts';
import { Refused } from '../refusal.ts';
import type { ExplanationsConfig } from '../respond/explanations-schema.ts';
import type { ServedModel } from '../served-model.ts';
import type { BackendModel } from './backend-model.ts';
import type { MemoryBound, Reservation } from './memory-bound.ts';

/** What a model's explanations take. */
export type ExplainSetting = Pick<ExplanationsConfig, 'memory' | 'seconds' | 'queue'>;

/** Seconds after which a caller may ask again where too many wait. */
const ASK_AGAIN = 5;

/**
 * A model with a process beside it that explains its answers from the very network that was admitted. Where it cannot have one (no classifier of one float input, no gradient, no room), it is as it was and a note says
 * why. The network's bytes stay in memory, within the bound, for a process that has to be started again.
 */
export async function withExplanations(
  backend: BackendModel,
  network: Model,
  { memory, seconds, queue }: ExplainSetting,
  bound: MemoryBound,
): Promise<BackendModel> {
  const { classifier } = backend;
  const without = (because: string): BackendModel => ({
    ...backend,
    notes: [...backend.notes, `its answers cannot be explained: ${because}`],
  });
  if (classifier === undefined || backend.metadata.inputs.length !== 1)
    return without('it is no classifier of one float input');
  if (!fitsOneFile(network)) return without('it is larger than 2 GiB');
  const { input, output, sampleDims } = classifier;
  const bytes = serializeModel(network);
  let held: Reservation | undefined;
  let explainer: Explainer;
  try {
    held = bound.reserve(bytes.length, `explanations of ${backend.name} ${backend.version}`);
    explainer = await openExplainer(
      { bytes, input, output, sampleDims },
      { memory, timeout: seconds * 1000, queue },
    );
  } catch (thrown) {
    held?.release();
    return without(asGlacisError(thrown, 'run/failed', 'explanations').message);
  }
  const explain: ServedModel['explain'] = async (question, signal) => {
    try {
      return await explainer.explain(question, signal);
    } catch (thrown) {
      throw refusedFrom(thrown);
    }
  };
  return {
    ...backend,
    explain,
    async close() {
      await explainer.close();
      held.release();
      await backend.close();
    },
  };
}

function refusedFrom(thrown: unknown): Refused {
  const { code, message } = asGlacisError(thrown, 'run/failed', 'explanations');
  if (code === 'option/invalid')
    return new Refused('unavailable', message, { retryAfter: ASK_AGAIN, cause: thrown });
  return new Refused(code === 'run/cancelled' ? 'late' : 'failed', message, { cause: thrown });
}
