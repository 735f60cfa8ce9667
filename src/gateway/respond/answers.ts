import { floatsOf, floatTensor, isFloatDatatype, type Tensor } from '../../oip/index.ts';
import { DETAILS, type Detail, isAtLeast, lesser } from '../detail.ts';
import type { GuardedInput } from '../guard.ts';
import type { BudgetStep } from '../limits.ts';
import type { Mark, OutputGuard, Scores, Shaping } from '../output-guard.ts';
import { Refused } from '../refusal.ts';
import type { Classifier, ModelAnswer, ServedModel } from '../served-model.ts';
import type { Answers } from '../stages.ts';
import type { AnswersConfig } from './config-schema.ts';
import { labelOnly } from './label-only.ts';
import { likeliest } from './likeliest.ts';
import { asProbabilities } from './probabilities.ts';
import { outputGuardFrom } from './registry.ts';
import { type RoundingOptions, rounding } from './rounding.ts';
import { sampleDigests } from './sample-digests.ts';
import { significantBits } from './significant-bits.ts';
import { likeliestOnly } from './top-k.ts';
import { watermark } from './watermark.ts';

/** What {@link openAnswers} needs beside its configuration. */
export interface AnswerSurroundings {
  readonly model: ServedModel;
  /** At least 32 random bytes that outlive a restart; keys of the guards are derived from it. */
  readonly secret: Uint8Array;
  /** Is told of each marked answer; must not throw or wait. */
  readonly marked?: ((mark: Mark) => void) | undefined;
}

/** Steps of a budget and the most detail that each leaves. */
const DETAIL_AT: Readonly<Record<BudgetStep, Detail>> = {
  full: 'explanation',
  rounded: 'scores',
  top1: 'topk',
  label: 'label',
  refuse: 'label',
};

/**
 * Turns what a model said into what the caller gets. Names, types and shapes stay those of the metadata; `parameters.detail` on
 * the scores says how much they tell. The way of the scores: probabilities (below `logits`), the guards in order, the watermark,
 * rounding, the likeliest alone (`topk`), the class alone (`label`). Each step sees only what the one before it left, so a lesser
 * detail is a function of the greater one and tells nothing that is not in it.
 *
 * The caller can ask for less (`parameters.detail`), never for more. Outputs beside the scores are zeros (BYTES: empty) below
 * `logits`; an integer output that holds the likeliest class follows the class that is answered. Models that are no classifiers:
 * float outputs keep significant digits, nothing else changes.
 *
 * `shape` throws `Refused` `failed` where the model gave NaN, +∞ or other shapes than the classifier's. Costs: docs/answers.md.
 * Errors: `option/invalid` where a guard does not suit the model.
 */
export function openAnswers(config: AnswersConfig, surroundings: AnswerSurroundings): Answers {
  const { model, secret, marked } = surroundings;
  const { classifier } = model;
  if (classifier === undefined) {
    const digits = config.round.significant ?? config.round.decimals!;
    return { shape: (_, { outputs }) => outputs.map((output) => withDigits(output, digits)) };
  }
  const setting = { classifier, secret, marked };
  const bending: readonly OutputGuard[] = config.guards.map((choice) => outputGuardFrom(choice, setting));
  const marking = config.watermark && watermark.make(config.watermark, setting);
  const full = rounding.make(config.round, setting);
  const fewer = rounding.make(coarser(config.rounded, config.round), setting);
  const label = labelOnly.make({}, setting);
  const most = config.detail;

  const shaped = (scores: Scores, shaping: Shaping, step: BudgetStep): Scores => {
    const marks = (given: Scores) => marking?.shape(given, shaping) ?? given;
    // Of the guards that bend, none changes the class.
    if (shaping.detail === 'label') return label.shape(marks(scores), shaping);
    let told = isAtLeast(shaping.detail, 'logits') ? scores : asProbabilities(scores);
    for (const guard of bending) told = guard.shape(told, shaping);
    told = marks(told);
    told = (step === 'rounded' ? fewer : full).shape(told, shaping);
    return shaping.detail === 'topk' ? likeliestOnly(told, step === 'top1' ? 1 : config.topk) : told;
  };

  return {
    explanations: most === 'explanation' ? config.explanations : undefined,
    shape(call, answer, limits) {
      const detail = [limits.detail, DETAIL_AT[limits.step], wishOf(call)].reduce(lesser, most);
      const scores = scoresOf(call, answer, classifier);
      const inputs = () => call.floats() ?? new Float32Array(0);
      let digests: readonly Uint8Array[] | undefined;
      const inputDigests = () => {
        digests ??= sampleDigests(inputs(), call.n);
        return digests;
      };
      const told = shaped(scores, { principal: call.principal, detail, inputDigests, inputs }, limits.step);
      return answer.outputs.map((output) =>
        output.name === classifier.output
          ? retold(output, told, detail)
          : beside(output, { scores, told, tell: config.others === 'told' || isAtLeast(detail, 'logits') }),
      );
    },
  };
}

/** What the caller asks for: attacker-controlled, so it only ever lowers. */
function wishOf({ parameters }: GuardedInput): Detail {
  return DETAILS.find((detail) => detail === parameters.detail) ?? 'explanation';
}

/** The fewer digits of two. */
function coarser(a: RoundingOptions, b: RoundingOptions): RoundingOptions {
  if (a.decimals !== undefined && b.decimals !== undefined)
    return { decimals: Math.min(a.decimals, b.decimals) };
  if (a.significant !== undefined && b.significant !== undefined)
    return { significant: Math.min(a.significant, b.significant) };
  return a;
}

function scoresOf(call: GuardedInput, { outputs }: ModelAnswer, classifier: Classifier): Scores {
  const { n } = call;
  const { classes, gives } = classifier;
  const output = outputs.find(({ name }) => name === classifier.output);
  if (output === undefined || !isFloatDatatype(output.datatype))
    throw new Refused(
      'failed',
      `output ${classifier.output}: expected floats, got ${output?.datatype ?? 'none'}`,
    );
  const values = floatsOf(output);
  if (values.length !== n * classes)
    throw new Refused(
      'failed',
      `output ${classifier.output}: expected ${n} × ${classes} scores, got ${values.length}`,
    );
  // −∞ is the logit of a class that cannot be.
  for (const value of values)
    if (!(value < Number.POSITIVE_INFINITY))
      throw new Refused('failed', `output ${classifier.output}: expected finite scores, got ${value}`);
  return { values, n, classes, gives };
}

function retold(output: Tensor, { values }: Scores, detail: Detail): Tensor {
  const { name, datatype, shape } = output;
  if (!isFloatDatatype(datatype)) throw new Refused('failed', `output ${name}: expected floats`);
  return { ...floatTensor(name, datatype, shape, values), parameters: { ...output.parameters, detail } };
}

/** An output beside the scores. */
function beside(
  output: Tensor,
  how: { readonly scores: Scores; readonly told: Scores; readonly tell: boolean },
): Tensor {
  const label = asLabels(output, how.scores, how.told);
  if (label !== undefined) return label;
  if (how.tell) return output;
  const { name, shape } = output;
  if (output.datatype === 'BYTES')
    return { name, datatype: 'BYTES', shape, data: output.data.map(() => new Uint8Array(0)) };
  const empty = output.data.slice().fill((typeof output.data[0] === 'bigint' ? 0n : 0) as never);
  return { name, datatype: output.datatype, shape, data: empty } as Tensor;
}

/** An integer output that holds the likeliest class of each sample, with the class that is answered. */
function asLabels(output: Tensor, scores: Scores, told: Scores): Tensor | undefined {
  const { n, classes } = scores;
  const { datatype } = output;
  if (output.data.length !== n || !/^U?INT/.test(datatype)) return undefined;
  for (let row = 0; row < n; row++)
    if (Number(output.data[row]) !== likeliest(scores.values, row * classes, classes)) return undefined;
  const data = output.data.slice() as BigInt64Array | Int32Array;
  for (let row = 0; row < n; row++) {
    const answered = likeliest(told.values, row * classes, classes);
    data[row] = (typeof data[0] === 'bigint' ? BigInt(answered) : answered) as never;
  }
  return { ...output, data } as Tensor;
}

function withDigits(output: Tensor, digits: number): Tensor {
  if (!isFloatDatatype(output.datatype)) return output;
  if (output.datatype === 'FP64') {
    const data = Float64Array.from(output.data, (value) => Number(value.toPrecision(digits)));
    return { ...output, data };
  }
  const { name, datatype, shape } = output;
  return {
    ...floatTensor(name, datatype, shape, significantBits(floatsOf(output), digits)),
    ...(output.parameters && { parameters: output.parameters }),
  };
}
