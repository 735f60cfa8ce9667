import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import { floatsOf, type ModelMetadata } from '../../oip/index.ts';
import { imageDimsOf } from '../../transform/image-dims.ts';
import type { DecisionInput } from '../console/api.ts';
import { inputTensors } from '../investigate/input-tensors.ts';
import type { KeptInput } from '../record/live/kept-input.ts';
import type { OpenLiveLog } from '../record/live/open-live-log.ts';
import { type ManagementRoute, route } from './route.ts';

/** What a version takes, as far as showing an input needs it. */
export interface TakesInput {
  readonly metadata: ModelMetadata;
  readonly classifier?: { readonly input: string; readonly sampleDims: readonly number[] } | undefined;
}

/** What reading inputs stands on. */
export interface InputParts {
  readonly live: Pick<OpenLiveLog, 'input'>;
  /** The version that answered, if it is still loaded. */
  readonly find: (model: string, version: string | undefined) => TakesInput | undefined;
  /** Least and greatest value of an input of this model, where the configuration says. */
  readonly rangeOf: (model: string) => readonly [number, number] | undefined;
}

/** Numbers shown of one call at most. */
const MOST_SHOWN = 1 << 18;
const MOST_SAMPLES = 16;

/**
 * What somebody really sent, where the policy keeps it. It takes the right to payloads, and each reading is an entry of the log before anything is shown: so it is a POST, which no other
 * site's page can make a browser send.
 */
export function inputRoutes(parts: InputParts): readonly ManagementRoute[] {
  return [
    route<{ why?: string | undefined }>({
      method: 'POST',
      path: '/api/decisions/:which/input',
      about:
        'The inputs of a decision as they were sent, where they are kept; {why?} goes into the log with who read them.',
      action: 'log.payload',
      event: 'input-read',
      body: z.strictObject({ why: z.string().min(1).max(500).optional() }),
      async run({ params }) {
        const found = await parts.live.input(params.which!);
        return found === undefined
          ? { json: { error: 'no such decision, or none that is signed yet' }, status: 404 }
          : { json: shownInput(found, parts) };
      },
    }),
  ];
}

function shownInput(
  { entry, decision, state, because, inputs }: KeptInput,
  parts: InputParts,
): DecisionInput {
  const { id, model, version, n } = decision;
  const about = { entry, id, model, version, n, state, ...(because && { because }), samples: [] };
  if (state !== 'kept') return about;
  try {
    const { dims, samples } = mainInput(inputs, n, parts.find(model, version));
    const most = Math.min(MOST_SAMPLES, n, Math.floor(MOST_SHOWN / Math.max(1, samples.length / n)));
    const size = samples.length / n;
    const image = imageDimsOf(dims);
    return {
      ...about,
      dims,
      ...(image && { picture: image }),
      range: parts.rangeOf(model),
      ...(size > MOST_SHOWN && { tooLarge: { numbers: size, most: MOST_SHOWN } }),
      samples: Array.from({ length: most }, (_, i) =>
        Array.from(samples.subarray(i * size, (i + 1) * size), plainNumber),
      ),
    };
  } catch (thrown) {
    if (!(thrown instanceof GlacisError)) throw thrown;
    return { ...about, state: 'unreadable', because: thrown.message };
  }
}

/**
 * The main input of a kept call, `[n, …dims]` row-major. Errors: `data/mismatch` where the version that took it is gone and nobody knows its shape, `request/invalid` where the bytes do
 * not fit.
 */
export function mainInput(
  inputs: readonly Uint8Array[],
  n: number,
  model: TakesInput | undefined,
): { readonly dims: readonly number[]; readonly samples: Float32Array } {
  const tensors = model && inputTensors(inputs, model.metadata, n);
  const tensor = tensors?.find(({ name }) => name === model?.classifier?.input) ?? tensors?.[0];
  const samples = tensor && floatsOf(tensor);
  if (samples === undefined || samples.length % Math.max(1, n) !== 0)
    throw new GlacisError(
      'data/mismatch',
      'input: expected the version that took it, or one with the same inputs, to be loaded still',
    );
  return { dims: model?.classifier?.sampleDims ?? tensor!.shape.slice(1), samples };
}

/** A number as JSON has it, with about the digits that a float32 has; null where it is none. */
function plainNumber(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(7)) : null;
}
