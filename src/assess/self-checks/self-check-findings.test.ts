import { describe, expect, it } from 'vitest';
import { areProbabilities } from './probability-outputs.ts';
import {
  fewClasses,
  probabilityOutputs,
  randomisedModel,
  squareBeatsGradients,
  zeroGradients,
} from './self-check-findings.ts';
import { squareShare } from './square-share.ts';

const ids = (findings: readonly { readonly id: string }[]) => findings.map(({ id }) => id);

describe('the self-check of randomness', () => {
  it('looks at right answers and at outputs', () => {
    const same = { samples: 10, correct: [9, 9, 9, 9, 9], difference: 0 };
    expect(randomisedModel(same)).toEqual([]);
    expect(randomisedModel({ ...same, difference: 1e-4 })).toEqual([]);
    expect(ids(randomisedModel({ ...same, difference: 1.1e-4 }))).toEqual(['evasion/randomised-model']);
    const [finding] = randomisedModel({ ...same, correct: [9, 8, 9, 9, 9], difference: 0.02 });
    expect(finding!.evidence).toBe(
      'In 5 runs of the file on the same 10 samples the number of right answers lay between 8 and 9, and outputs differed by up to 2.0 % of their length.',
    );
  });
});

describe('the self-check of probabilities', () => {
  it('knows a probability distribution, up to rounding', () => {
    expect(areProbabilities(Float32Array.of(0.2, 0.8, 1, 0), 2)).toBe(true);
    expect(areProbabilities(Float32Array.of(0.2, 0.800005, -0.000005, 1), 2)).toBe(true);
    expect(areProbabilities(Float32Array.of(0.2, 0.8, 0.6, 0.5), 2)).toBe(false);
    expect(areProbabilities(Float32Array.of(1.2, -0.2), 2)).toBe(false);
    expect(areProbabilities(Float32Array.of(Number.NaN, 1), 2)).toBe(false);
    // One output that happens to be 1 is no distribution.
    expect(areProbabilities(Float32Array.of(1, 1), 1)).toBe(false);
    expect(areProbabilities(new Float32Array(0), 2)).toBe(false);
  });

  it('says nothing where the softmax was found and left out', () => {
    expect(probabilityOutputs({ areProbabilities: true, isStripped: true })).toEqual([]);
    expect(probabilityOutputs({ areProbabilities: false, isStripped: false })).toEqual([]);
    expect(ids(probabilityOutputs({ areProbabilities: true, isStripped: false }))).toEqual([
      'evasion/probability-outputs',
    ]);
  });
});

describe('the self-check of starts', () => {
  it('names how many samples have no gradient', () => {
    expect(zeroGradients({ samples: 64, zero: 0 })).toEqual([]);
    expect(zeroGradients({ samples: 64, zero: 3 })[0]!.evidence).toContain('3 of 64 samples');
  });
});

describe('the self-check of Square Attack', () => {
  const parts = ['apgd-ce', 'apgd-t', 'square'];

  it('reads off which samples only Square broke', () => {
    const correct = Uint8Array.of(1, 1, 1, 1, 0, 1);
    const success = Uint8Array.of(1, 0, 1, 1, 0, 0);
    const by = Uint8Array.of(3, 0, 1, 3, 0, 3);
    // The last fell for Square, and verification did not follow.
    expect(squareShare(parts, correct, { success, by })).toEqual({ n: 6, only: [0, 3], standing: [1, 5] });
  });

  const share = (only: number) => ({
    n: 1000,
    only: Array.from({ length: only }, (_, i) => i),
    standing: [],
  });

  it('is silent up to 0.2 points', () => {
    expect(squareBeatsGradients({ share: share(2) })).toEqual([]);
    expect(
      squareBeatsGradients({ share: share(2), again: { missed: [0, 1], more: [], complete: true } }),
    ).toEqual([]);
  });

  it('gives no verdict before gradient attacks have tried again, to the end', () => {
    expect(ids(squareBeatsGradients({ share: share(3) }))).toEqual(['evasion/gradient-attacks-open']);
    const stopped = { missed: [0, 1, 2], more: [], complete: false };
    expect(ids(squareBeatsGradients({ share: share(3), again: stopped }))).toEqual([
      'evasion/gradient-attacks-open',
    ]);
  });

  it('blames masking only if they still miss what Square found', () => {
    const found = squareBeatsGradients({
      share: share(9),
      again: { missed: [0, 1], more: [7], complete: true },
    });
    expect(ids(found)).toEqual(['evasion/more-restarts-needed']);
    expect(found[0]!.evidence).toContain('they found 7 of them and broke 1 more');
    const masked = squareBeatsGradients({
      share: share(9),
      again: { missed: [0, 1, 5], more: [], complete: true },
    });
    expect(ids(masked)).toEqual(['evasion/gradient-masking-square']);
    expect(masked[0]!.severity).toBe('medium');
    // Of 500 samples two are more than 0.2 %, and still say little.
    const few = { share: { ...share(9), n: 500 }, again: { missed: [0, 1], more: [], complete: true } };
    expect(ids(squareBeatsGradients(few))).toEqual(['evasion/more-restarts-needed']);
  });
});

describe('the self-check of classes', () => {
  const apgdT = { id: 'apgd-t', targets: 9 };

  it('is silent where there are enough, and for other tasks', () => {
    expect(fewClasses({ task: 'classification', classes: 10, attacks: [apgdT] })).toEqual([]);
    expect(fewClasses({ task: 'classification', classes: 2, attacks: [] })).toEqual([]);
    expect(fewClasses({ task: 'binary', classes: 1, attacks: [apgdT] })).toEqual([]);
  });

  it('says which targets are missing, and which loss took the place of the ratio', () => {
    const evidence = (classes: number) =>
      fewClasses({ task: 'classification', classes, attacks: [apgdT] })[0]!.evidence;
    expect(evidence(5)).toBe('With 5 classes: apgd-t would run at 9; all 4 others were run.');
    expect(evidence(3)).toContain('the targeted difference of logits ratio needs four;');
    expect(evidence(2)).toContain('the difference of logits ratio needs three;');
  });
});
