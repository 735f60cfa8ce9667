import { GlacisError } from '../../core/error.ts';
import type { Model } from '../../onnx/model.ts';
import { finalActivation } from '../final-activation.ts';
import { describeDefence, type PlannedDefence } from './registry.ts';
import { type SqueezeOptions, squeezedCopies } from './squeezed.ts';

/** Name of the output that says how much squeezing changes the answer, `[n]`, from 0 to 2. */
export const SQUEEZE_DISTANCE = 'squeeze_distance';

/** Key of the model's metadata that holds a {@link DetectorRecord} as JSON. */
export const DETECTOR_KEY = 'glacis.detector';

/** From where on a picture counts as attacked, and how that was found. */
export interface DetectorRecord {
  readonly output: typeof SQUEEZE_DISTANCE;
  readonly squeezers: readonly string[];
  /** Pictures above it count as attacked. */
  readonly threshold: number;
  /** Share of clean pictures that it was to reject at most. */
  readonly falsePositiveRate: number;
  /** Clean pictures that it was found on. */
  readonly samples: number;
}

/**
 * The model with one output more, {@link SQUEEZE_DISTANCE}: the L1 distance between the probabilities of the picture and of the squeezed
 * picture, the largest over all squeezers (joint feature squeezing, Xu et al. 2018). Clean pictures answer alike, attacked ones often do
 * not, unless the attacker knows of it (He et al. 2017). Cost: one pass through the model for each squeezer more. Other outputs stay as
 * they are.
 * Errors: those of `squeezedCopies`; `option/invalid` for a model that has such an output.
 */
export function withDetector(
  model: Model,
  squeezers: readonly PlannedDefence[],
  options: SqueezeOptions = {},
): Model {
  const { graph } = model;
  if (graph.outputs.some(({ name }) => name === SQUEEZE_DISTANCE))
    throw new GlacisError(
      'option/invalid',
      `detector: expected a model without one, got an output ${SQUEEZE_DISTANCE}`,
    );
  const { draft, output, classes, copies, nodes } = squeezedCopies(model, squeezers, options);
  const written = draft.nodes.length;
  const activation = finalActivation(model, output)?.op;
  const probabilities = (scores: string) =>
    activation === 'Softmax'
      ? scores
      : activation === 'LogSoftmax'
        ? draft.node('Exp', [scores])
        : draft.node('Softmax', [scores], { axis: 1 });
  const own = probabilities(output);
  const ones = draft.floats([classes, 1], new Array<number>(classes).fill(1));
  const distances = copies.map((copy) => {
    const gap = draft.node('Abs', [draft.node('Sub', [own, probabilities(copy)])]);
    return draft.node('MatMul', [gap, ones]);
  });
  const largest = distances.length === 1 ? distances[0]! : draft.node('Max', distances);
  const flat = draft.node('Reshape', [largest, draft.ints([-1])]);
  const tail = draft.nodes.slice(written);
  const batch = graph.outputs.find(({ name }) => name === output)!.type;
  return draft.onto(
    model,
    [
      ...nodes,
      ...tail,
      {
        op: 'Identity',
        domain: '',
        name: draft.fresh('to_squeeze_distance'),
        inputs: [flat],
        outputs: [SQUEEZE_DISTANCE],
        attributes: new Map(),
      },
    ],
    {
      outputs: [
        ...graph.outputs,
        {
          name: SQUEEZE_DISTANCE,
          type: {
            kind: 'tensor',
            dtype: 'float32',
            dims: [batch.kind === 'tensor' ? (batch.dims?.[0] ?? null) : null],
          },
        },
      ],
    },
  );
}

/** The model with its threshold written into the metadata. */
export function withThreshold(
  model: Model,
  squeezers: readonly PlannedDefence[],
  found: Pick<DetectorRecord, 'threshold' | 'falsePositiveRate' | 'samples'>,
): Model {
  const record: DetectorRecord = {
    output: SQUEEZE_DISTANCE,
    squeezers: squeezers.map(describeDefence),
    ...found,
  };
  return { ...model, metadata: new Map([...model.metadata, [DETECTOR_KEY, JSON.stringify(record)]]) };
}

/**
 * The model whose output is the mean of the logits (or log probabilities) of the picture and of all squeezed ones: what an attacker who
 * knows of the detector attacks, so that all of them agree on the wrong answer (He et al. 2017). Other outputs are left out.
 */
export function squeezedMean(
  model: Model,
  squeezers: readonly PlannedDefence[],
  options: SqueezeOptions = {},
): Model {
  const { draft, output, copies, nodes } = squeezedCopies(model, squeezers, options);
  const written = draft.nodes.length;
  const activation = finalActivation(model, output)?.op;
  const scores = [output, ...copies].map((each) =>
    activation === 'Softmax'
      ? draft.node('Log', [draft.node('Max', [each, draft.number(1e-30)])])
      : activation
        ? each
        : draft.node('LogSoftmax', [each], { axis: 1 }),
  );
  const sum = scores.reduce((so, each) => draft.node('Add', [so, each]));
  const mean = draft.node('Div', [sum, draft.number(scores.length)]);
  const { outputs } = model.graph;
  const info = outputs.find(({ name }) => name === output)!;
  return draft.onto(model, [...nodes, ...draft.nodes.slice(written)], { outputs: [{ ...info, name: mean }] });
}
