import { describe, expect, it } from 'vitest';
import { haveReferences, measure, pgdOf, REFERENCE_MODELS, referenceFor } from './reference-models.ts';

describe.skipIf(!haveReferences)(
  'trained models under many steps (skipped without GLACIS_SHARED: figures of another implementation to meet)',
  () => {
    it.each(REFERENCE_MODELS)('%s', async (name) => {
      const reference = referenceFor(name);
      const { results } = await measure(reference, reference.n, [pgdOf(reference)]);
      // Lower is right: the reference judges the last iterate, Glacis the best one, which the file itself confirms.
      expect(results[0]!.robustAccuracy).toBeLessThanOrEqual(reference.pgd + 0.002);
      expect(results[0]!.cleanAccuracy - results[0]!.robustAccuracy).toBeGreaterThan(0.1);
    });
  },
);
