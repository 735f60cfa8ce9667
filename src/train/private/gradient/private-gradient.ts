import { GlacisError } from '../../../core/error.ts';
import type { Value } from '../../../onnx/graph-builder.ts';
import type { Model } from '../../../onnx/model.ts';
import { inLayout } from '../../../runtime/layout.ts';
import { usesOf } from '../../../transform/gradient/vjp.ts';
import type { Ops } from '../../../transform/ops.ts';
import type { Lesson } from '../../objective/objective.ts';
import { type LessonOptions, openLesson, settingsOf } from '../../step/lesson.ts';
import type { TrainingStep } from '../../step/step.ts';
import { meetingsOf } from './meeting.ts';
import { type NormMethod, type SampleGradients, sampleGradients } from './sample-gradient.ts';

/** Added to a norm before it divides, as Opacus does: no sample's gradient is ever scaled up. */
export const AWAY_FROM_ZERO = 1e-6;

/** What {@link buildPrivateGradient} writes. */
export interface PrivateGradientOptions extends Omit<LessonOptions, 'batch'> {
  /** Channels in a block of the runtime's layout. Default 0: none. */
  readonly block?: number;
  /** Default `cheapest`. */
  readonly norms?: NormMethod;
}

/** A sum of clipped gradients that goes from one physical batch to the next. */
export interface CarriedSum {
  /** Name of the weight's initializer. */
  readonly name: string;
  readonly dims: readonly number[];
  readonly input: string;
  readonly output: string;
}

/** Adds the clipped gradients of one physical batch to sums, as one model. */
export interface PrivateGradient
  extends Pick<TrainingStep, 'model' | 'targets' | 'draws' | 'sampleDims' | 'outputs'> {
  /** Samples in a physical batch. */
  readonly rows: number;
  readonly inputs: Pick<TrainingStep['inputs'], 'x' | 'attacked' | 'targets' | 'settings'> & {
    /** 1 for each row that holds a sample, 0 for others; float32 `[rows]`. */
    readonly mask: string;
    /** Most that the norm of a sample's gradient may be, float32 scalar. */
    readonly clip: string;
    /** In the order of the weights. */
    readonly weights: readonly string[];
  };
  readonly sums: readonly CarriedSum[];
  /** float32 scalars, sums over the samples: loss, norms as they were, samples whose norm was at most `clip`, that were right, and attacked. */
  readonly measures: {
    readonly loss: string;
    readonly norms: string;
    readonly below: string;
    readonly correct?: string;
    readonly robust?: string;
  };
  /** How each weight's norms are found, in the order of the weights. */
  readonly methods: readonly SampleGradients['method'][];
}

/**
 * Writes `Σₙ maskₙ min(1, clip / (‖gₙ‖ + 10⁻⁶)) gₙ` over a physical batch, `gₙ` the gradient of sample `n`'s loss with respect to all
 * weights together (Abadi et al. 2016), added to sums that are carried on. One forward and one backward pass.
 *
 * Errors: those of `openLesson`; `model/unsupported-task` for layers in which samples influence each other or that keep no axis for
 * them; `gradient/unsupported`; `option/invalid` for an objective whose gradient is not a sum over samples.
 */
export function buildPrivateGradient(model: Model, options: PrivateGradientOptions): PrivateGradient {
  const { objective, rows, norms: method = 'cheapest' } = options;
  const opened = openLesson(model, options);
  const { b, x, lesson, network } = opened;
  if (!objective.isAdditive || lesson.wrt || lesson.keeps)
    throw new GlacisError(
      'option/invalid',
      `objective: expected one in which each sample is learned from on its own, got ${objective.name}`,
    );
  if (network.statistics().length > 0) throw mixed('BatchNormalization');
  const weights = opened.weights.map(({ value }) => value);
  const gradients = gradientsOf(b, lesson, weights, rows, method);
  const mask = b.builder.input('mask', 'float32', [rows]);
  const clip = b.builder.input('clip', 'float32', []);
  const total = gradients.map(({ squares }) => squares).reduce((sum, square) => b.add(sum, square));
  const norms = b.unary('Sqrt', total);
  const c = b.mul(b.min(b.div(clip, b.add(norms, AWAY_FROM_ZERO)), 1), mask);
  const results = new Map<string, Value>();
  const give = (hint: string, value: Value): string => {
    const name = b.builder.freshName(hint);
    results.set(name, value);
    return name;
  };
  const sums = opened.weights.map(({ name, value }, i): CarriedSum => {
    const before = b.builder.input(`${name}/sum`, 'float32', value.dims);
    const after = b.add(before, gradients[i]!.weighted(c));
    return { name, dims: value.dims, input: before.name, output: give(`${name}/sum/next`, after) };
  });
  const count = (what: Value) => b.sum(b.mul(b.cast(what, 'float32'), mask), [0]);
  const measures = {
    loss: give('loss', count(lesson.losses)),
    norms: give('norms', count(norms)),
    below: give('below', count(b.compare('LessOrEqual', norms, clip))),
    ...(lesson.hits ? { correct: give('correct', count(lesson.hits)) } : {}),
    ...(lesson.robustHits ? { robust: give('robust', count(lesson.robustHits)) } : {}),
  };
  return {
    model: inLayout(b.builder, Object.fromEntries(results), options.block ?? 0, 'private gradient'),
    rows,
    inputs: {
      x: x.name,
      attacked: opened.attacked?.name,
      targets: opened.targets.input,
      settings: settingsOf(opened),
      mask: mask.name,
      clip: clip.name,
      weights: weights.map(({ name }) => name),
    },
    targets: { dtype: opened.targets.dtype, dims: opened.targets.dims },
    draws: opened.draws,
    sampleDims: x.dims.slice(1),
    outputs: opened.outputs,
    sums,
    measures,
    methods: gradients.map((each) => each.method),
  };
}

/** The per-sample gradients of each weight. */
function gradientsOf(
  b: Ops,
  lesson: Lesson,
  weights: readonly Value[],
  rows: number,
  method: NormMethod,
): readonly SampleGradients[] {
  const meetings = meetingsOf(b, weights, lesson);
  const values = [...new Map(meetings.map(({ value }) => [value.name, value])).values()];
  const uses = usesOf(b, lesson.seeds, values, { constants: lesson.constants ?? [] });
  const usesBy = new Map(values.map(({ name }, i) => [name, uses[i]!]));
  const met = meetings.map((meeting) => ({ meeting, uses: usesBy.get(meeting.value.name)! }));
  return weights.map((weight): SampleGradients => {
    const own = met.filter(({ meeting, uses }) => meeting.weight.name === weight.name && uses.length > 0);
    if (own.length > 0) return sampleGradients(b, own, rows, method);
    // Nothing depends on it: its gradients are zero.
    return {
      method: 'explicit',
      squares: b.full([rows], 0, 'float32'),
      weighted: () => b.zerosLike(weight),
    };
  });
}

function mixed(layer: string): GlacisError {
  return new GlacisError(
    'model/unsupported-task',
    `private training: expected layers in which samples stay apart, got ${layer}, which mixes the samples of a batch; rewrite it to GroupNormalization (normalisation: 'rewrite'; on the command line --normalisation rewrite)`,
  );
}
