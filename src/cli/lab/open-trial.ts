import { openAnswers } from '../../assess/endpoint-source.ts';
import { openSubject } from '../../assess/open-subject.ts';
import type { Subject } from '../../assess/subject.ts';
import { GlacisError } from '../../core/error.ts';
import { holdModel } from '../../gateway/backend/admission/held-model.ts';
import { modelFromHeld } from '../../gateway/backend/admission/model-from-held.ts';
import { inlineFunctions } from '../../onnx/functions.ts';
import { toFloat32 } from '../../onnx/to-float32.ts';
import type { Engine } from '../../runtime/engine.ts';
import type { Oracle } from '../../runtime/oracle.ts';
import type { Trial } from './messages.ts';

/** A model that attacks may be tried on. */
export interface OpenTrial {
  readonly subject: Subject;
  readonly batch: number;
}

/** Answers while the service has nothing else to do. */
export type Ask = (points: Float32Array, n: number) => Promise<Float32Array>;

/**
 * Opens the model of a trial in a session of its own: the very bytes that are served, or, where its file is not here, whoever answers for it. Errors: `manifest/changed`
 * where the file is no longer what is served, those of reading and opening a model.
 */
export async function openTrial(
  engine: Engine,
  { model, order, memory }: Pick<Trial, 'model' | 'order' | 'memory'>,
  ask: Ask,
): Promise<OpenTrial> {
  const { source, digest, input, output, sampleDims, classes } = model;
  const first = { x: order.values, count: 1 };
  if (source === undefined) {
    const oracle: Oracle = { sampleDims, classes, batch: 16, parallel: 1, ask, close: async () => {} };
    return openAnswers(oracle, first, {});
  }
  const { path, entry, ignore } = source;
  const held = await holdModel(path, { most: memory, ignore });
  if (held.root !== digest)
    throw new GlacisError(
      'manifest/changed',
      `lab: expected the file that is served (${digest}), but it has changed since it was loaded`,
    );
  const file = modelFromHeld(held, new Set(held.files.map(({ name }) => name)), entry);
  const wide = toFloat32(inlineFunctions(file), { float16: true });
  return openSubject(engine, {
    model: wide.model,
    deployed: wide.notes.length > 0 ? wide.model : file,
    input,
    sampleDims,
    fixed: {},
    output,
    batch: undefined,
    first,
    signal: undefined,
  });
}
