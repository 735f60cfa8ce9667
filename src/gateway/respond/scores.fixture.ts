import fc from 'fast-check';
import type { Detail } from '../detail.ts';
import type { OutputSetting, Scores, Shaping } from '../output-guard.ts';
import { likeliest } from './likeliest.ts';
import { sampleDigests } from './sample-digests.ts';

/** A setting of as many classes, over samples of eight features. */
export function settingFixture(classes: number, over: Partial<OutputSetting> = {}): OutputSetting {
  return {
    classifier: { input: 'x', sampleDims: [8], output: 'y', classes, gives: 'probabilities' },
    secret: new Uint8Array(32).fill(7),
    ...over,
  };
}

/** What a guard knows of `n` samples of eight features that are all different. */
export function shapingFixture(n: number, detail: Detail = 'scores', first = 0): Shaping {
  const inputs = Float32Array.from({ length: 8 * n }, (_, i) =>
    Math.sin(first + Math.floor(i / 8) * 8.1 + i),
  );
  return {
    principal: { id: 'ann', tenant: 'acme', credential: 'k1', kind: 'key', roles: [] },
    detail,
    inputs: () => inputs,
    inputDigests: () => sampleDigests(inputs, n),
  };
}

/** Rows of `gives`, from even to one-sided, with equal values and zeros among them. */
export function arbitraryScores(gives: Scores['gives']): fc.Arbitrary<Scores> {
  const logit = fc.oneof(
    fc.double({ min: -30, max: 30, noNaN: true }),
    fc.integer({ min: -3, max: 3 }),
    fc.constant(0),
  );
  return fc.tuple(fc.integer({ min: 2, max: 14 }), fc.integer({ min: 1, max: 4 })).chain(([classes, n]) =>
    fc.array(logit, { minLength: classes * n, maxLength: classes * n }).map((logits) => {
      if (gives === 'logits') return { values: Float32Array.from(logits), n, classes, gives };
      const values = new Float32Array(classes * n);
      for (let at = 0; at < values.length; at += classes) {
        const row = logits.slice(at, at + classes).map((z) => Math.exp(z));
        const sum = row.reduce((a, b) => a + b, 0);
        for (let k = 0; k < classes; k++) values[at + k] = row[k]! / sum;
      }
      return { values, n, classes, gives };
    }),
  );
}

/** The likeliest class of each row. */
export function classesOf({ values, n, classes }: Scores): readonly number[] {
  return Array.from({ length: n }, (_, row) => likeliest(values, row * classes, classes));
}
