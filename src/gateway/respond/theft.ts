import { GlacisError } from '../../core/error.ts';
import { binomialCdf } from '../../core/statistics/binomial.ts';
import { LEAST_CLASSES, type Marking } from './watermark.ts';

/** A marked answer as it was written down. */
export interface MarkedSample {
  readonly from: number;
  readonly to: number;
  readonly input: Float32Array;
}

/** What a suspect's answers to marked inputs say. */
export interface TheftEvidence {
  /** Distinct cells that were asked about. */
  readonly asked: number;
  /** Where the suspect gave another class than the model had. */
  readonly disagreed: number;
  /** Of these, where it gave the wrong class of the watermark. */
  readonly matched: number;
  /** The probability that a model which has never seen a marked answer matches at least as often. */
  readonly p: number;
}

/**
 * Keeps the samples that `marking` really marks, one of each cell: a register that somebody has added to cannot make a proof.
 * `rejected`: how many it does not mark, or with other classes.
 */
export function genuine(
  samples: readonly MarkedSample[],
  marking: Marking,
): { readonly kept: readonly MarkedSample[]; readonly rejected: number } {
  const cells = new Set<string>();
  let rejected = 0;
  const kept = samples.filter(({ from, to, input }) => {
    const cell = marking.cellOf(input, 0);
    if (marking.classFor(cell, from) !== to) {
      rejected++;
      return false;
    }
    const id = Buffer.from(cell).toString('hex');
    if (cells.has(id)) return false;
    cells.add(id);
    return true;
  });
  return { kept, rejected };
}

/**
 * Whether a suspect learned from marked answers. `predicted`: its class of each sample.
 *
 * Sound because the wrong class of a cell is drawn by HMAC, evenly among the classes that the model did not give, and a model that
 * has seen no marked answer knows nothing of the draw: wherever it disagrees with the model, it hits the wrong class with
 * probability 1/(classes − 1), independently over cells. So the matches among d disagreements follow Binomial(d, 1/(classes − 1)),
 * whatever the innocent model is and however alike the two are, and p is exact: among innocent suspects, p ≤ α happens with
 * probability α at most. That holds if the key was fixed before the suspect was chosen (commit to it), and for one test; who tests
 * m suspects divides α by m. DAWN's own bound takes all marked inputs as trials; conditioning on disagreement needs no bound on
 * how often models err. Errors: `option/invalid` for fewer than three classes, `data/mismatch` for another number of predictions.
 */
export function theftEvidence(
  samples: readonly MarkedSample[],
  predicted: ArrayLike<number>,
  classes: number,
): TheftEvidence {
  if (classes < LEAST_CLASSES)
    throw new GlacisError(
      'option/invalid',
      `watermark: expected at least ${LEAST_CLASSES} classes, got ${classes}`,
    );
  if (predicted.length !== samples.length)
    throw new GlacisError(
      'data/mismatch',
      `watermark: expected ${samples.length} predictions, got ${predicted.length}`,
    );
  let [disagreed, matched] = [0, 0];
  samples.forEach(({ from, to }, i) => {
    if (predicted[i] === from) return;
    disagreed++;
    if (predicted[i] === to) matched++;
  });
  // P(X ≥ k) as P(failures ≤ d − k), which keeps its digits where it is small.
  const p = matched === 0 ? 1 : binomialCdf(disagreed - matched, disagreed, 1 - 1 / (classes - 1));
  return { asked: samples.length, disagreed, matched, p };
}
