import { describe, expect, it } from 'vitest';
import { haveReferences, measure, pgdOf, REFERENCE_MODELS, referenceFor } from './reference-models.ts';

describe.skipIf(!haveReferences)(
  'trained models (skipped without GLACIS_SHARED: figures of another implementation to meet)',
  () => {
    it.each(REFERENCE_MODELS)('%s: clean accuracy and FGSM as measured elsewhere', async (name) => {
      const reference = referenceFor(name);
      const { results, findings } = await measure(reference, reference.n, [{ name: 'fgsm', options: {} }]);
      // Two samples of a thousand may lie on the boundary, where rounding decides.
      expect(Math.abs(results[0]!.cleanAccuracy - reference.clean)).toBeLessThanOrEqual(0.002);
      expect(Math.abs(results[0]!.robustAccuracy - reference.fgsm)).toBeLessThanOrEqual(0.002);
      expect(findings.map((f) => f.id)).not.toContain('evasion/gradient-masking');
    });

    it('mnist-mlp: many steps do at least what they do elsewhere, where the last iterate counts and not the best', async () => {
      const reference = referenceFor('mnist-mlp');
      const { results } = await measure(reference, reference.n, [pgdOf(reference)]);
      expect(results[0]!.robustAccuracy).toBeLessThanOrEqual(reference.pgd + 0.002);
      expect(results[0]!.robustAccuracy).toBeGreaterThanOrEqual(reference.pgd - 0.03);
    });
  },
);
