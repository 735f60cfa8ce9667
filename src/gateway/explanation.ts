import type { AttributionMethod } from '../explain/attributions.ts';
import { floatsOf, floatTensor, type Tensor } from '../oip/index.ts';
import { type Detail, isAtLeast } from './detail.ts';
import type { GuardedInput } from './guard.ts';
import { Refused } from './refusal.ts';
import { likeliest } from './respond/likeliest.ts';
import type { Classifier, ServedModel } from './served-model.ts';
import type { ExplanationTerms } from './stages.ts';

/** The parameter of a request by which an explanation is asked for, and the output that holds it. */
export const EXPLANATION = 'glacis-explanation';

/** An explanation that the caller may have. */
export interface Explanation {
  /** Queries that it counts beside the answer. */
  readonly cost: number;
  /** Explains the class that is answered, whatever the model said: an explanation tells nothing that the answer hides. Errors: those of `ServedModel.explain`. */
  give(call: GuardedInput, told: readonly Tensor[], signal: AbortSignal): Promise<Tensor>;
}

/**
 * Whether the caller may have its answer explained; undefined where it has asked for less detail itself. Who lacks the right, who asks for a method that is not offered, and who asks for a model without
 * a gradient learn the same. Errors: `Refused` `unknown`, `too-large`.
 */
export function explanationFor(
  method: AttributionMethod,
  {
    served,
    terms,
    most,
    n,
    wish,
  }: {
    readonly served: ServedModel;
    readonly terms: ExplanationTerms | undefined;
    /** The most detail that the rights allow. */
    readonly most: Detail;
    readonly n: number;
    /** The detail that the caller asks for. */
    readonly wish: unknown;
  },
): Explanation | undefined {
  const { explain, classifier } = served;
  if (!isAtLeast(most, 'explanation')) throw new Refused('unknown', 'no right to explanations');
  if (terms === undefined || !terms.methods.includes(method))
    throw new Refused('unknown', 'explanations of this kind are not given');
  if (explain === undefined || classifier === undefined)
    throw new Refused('unknown', 'the model has no gradient here');
  if (n > terms.most)
    throw new Refused('too-large', `expected at most ${terms.most} samples to be explained, got ${n}`);
  if (typeof wish === 'string' && wish !== 'explanation') return undefined;
  const { decimals, baseline } = terms;
  return {
    cost: n * terms.queries,
    async give(call, told, signal) {
      const x = call.floats()!;
      const outputs = classesTold(told, classifier, n);
      const values = await explain({ x, outputs, method, baseline, decimals }, signal);
      if (values.length !== x.length)
        throw new Refused('failed', `explanation: expected ${x.length} elements, got ${values.length}`);
      return {
        ...floatTensor(EXPLANATION, 'FP32', [n, ...classifier.sampleDims], values),
        parameters: { method },
      };
    },
  };
}

function classesTold(told: readonly Tensor[], { output, classes }: Classifier, n: number): readonly number[] {
  const scores = floatsOf(told.find(({ name }) => name === output)!);
  return Array.from({ length: n }, (_, row) => likeliest(scores, row * classes, classes));
}
