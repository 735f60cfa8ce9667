import { GlacisError } from '../../core/error.ts';
import { mergeOptions, type Spec, suggestion } from '../../core/options.ts';
import { cloudleak } from './cloudleak.ts';
import type { Extraction } from './extraction.ts';
import { jacobian } from './jacobian.ts';
import { knockoff } from './knockoff.ts';
import { noiseQueries } from './noise-queries.ts';

/** Every way to choose the queries of a theft, A to Z. */
export const EXTRACTIONS: readonly Extraction<object>[] = [
  erased(cloudleak),
  erased(jacobian),
  erased(knockoff),
  erased(noiseQueries),
];

/** A way to choose queries with its merged options. */
export interface PlannedExtraction {
  readonly extraction: Extraction<object>;
  readonly options: object;
}

/** Finds what `spec` names and merges its options. Errors: `option/unknown`, `option/invalid`. */
export function planExtraction({ name, options: given }: Spec): PlannedExtraction {
  const extraction = EXTRACTIONS.find(({ id }) => id === name);
  if (!extraction) {
    const ids = EXTRACTIONS.map(({ id }) => id);
    throw new GlacisError(
      'option/unknown',
      `extraction: expected ${ids.join(', ')}, got '${name}'${suggestion(name, ids)}`,
    );
  }
  const options = mergeOptions(name, extraction.defaults, given);
  extraction.check(options);
  return { extraction, options };
}

/** A way among others: its options have been merged with its own defaults, so its own type fits them. */
function erased<Options extends object>(extraction: Extraction<Options>): Extraction<object> {
  return extraction as unknown as Extraction<object>;
}
