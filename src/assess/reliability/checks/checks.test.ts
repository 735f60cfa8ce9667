import { describe, expect, it } from 'vitest';
import { honestFacts, LOOKED, path, some, spread, times, view } from '../facts.fixture.ts';
import type { AttackFacts, ReliabilityFacts } from '../facts.ts';
import type { GradientPath } from '../gradient-path.ts';
import { CHECK_IDS, type Check, type CheckId } from '../reliability.ts';
import { CHECKS } from './registry.ts';

const all = (facts: ReliabilityFacts): readonly Check[] => CHECKS.map((check) => check(facts));
const suspicious = (facts: ReliabilityFacts): readonly CheckId[] =>
  all(facts)
    .filter(({ verdict }) => verdict === 'suspicious')
    .map(({ id }) => id);
const checked = (facts: ReliabilityFacts, id: CheckId): Check => all(facts).find((check) => check.id === id)!;
const attacks = (change: Partial<AttackFacts>): AttackFacts => ({ ...honestFacts().attacks, ...change });

describe('the checks', () => {
  it('are one for each id, in their order', () => {
    expect(all(honestFacts()).map(({ id }) => id)).toEqual(CHECK_IDS);
  });

  it('suspect nothing of a model that hides nothing', () => {
    expect(all(honestFacts()).filter(({ verdict }) => verdict !== 'good')).toEqual([]);
  });

  it('know nothing of an endpoint that was not attacked, and call nothing good', () => {
    const facts = honestFacts({
      obstacles: undefined,
      views: undefined,
      paths: undefined,
      fallen: [],
      noise: undefined,
      attacks: attacks({
        gradient: undefined,
        withoutGradients: undefined,
        transfer: undefined,
        oneStep: undefined,
      }),
    });
    const known = all(facts).filter(({ verdict }) => verdict !== 'unknown');
    // Whether answers agree can be asked of an endpoint.
    expect(known.map(({ id }) => id)).toEqual(['randomness']);
  });

  it('call nothing good where there was no right answer to look at', () => {
    const facts = honestFacts({
      views: [],
      paths: [],
      fallen: [],
      noise: { tried: 0, fell: 0, afterGradients: true },
      attacks: attacks({
        right: 0,
        gradient: 0,
        withoutGradients: 0,
        transfer: undefined,
        oneStep: undefined,
      }),
    });
    const good = all(facts).filter(({ verdict }) => verdict === 'good');
    expect(good.map(({ id }) => id)).toEqual(['noise', 'steps', 'randomness']);
  });

  it('give each suspicion evidence with figures and a remedy', () => {
    for (const [id, facts] of SIGNS) {
      const check = checked(facts, id);
      expect(check.evidence, id).toMatch(/\d|Round|Random/);
      expect(check.remedy, id).toBeTruthy();
    }
  });
});

/** For each check what alone raises it. */
const SIGNS: readonly (readonly [CheckId, ReliabilityFacts])[] = [
  ['zero-gradients', honestFacts({ views: spread(some(2, view({ zeroLoss: true }), view())) })],
  ['local-agreement', honestFacts({ views: spread(times(LOOKED, view({ agreement: 0.7 }))) })],
  ['hidden-slope', honestFacts({ views: spread(some(3, view({ slope: 2 }), view())) })],
  [
    'loss-direction',
    honestFacts({ paths: times(LOOKED, path({ losses: [0, 1, 0.5, 1.5, 1, 2, 1.5, 2.5] })) }),
  ],
  ['blurred-gradient', honestFacts({ paths: some(2, path({ gain: 1 }), path()) })],
  ['one-step', honestFacts({ attacks: attacks({ oneStep: { fell: 30, missed: 3 } }) })],
  ['more-steps', honestFacts({ paths: some(2, path({ steps: 150, fellAt: 0.1 }), path()) })],
  ['larger-eps', honestFacts({ paths: some(2, path({ fellAt: undefined }), path()) })],
  ['noise', honestFacts({ noise: { tried: 40, fell: 2, afterGradients: true } })],
  ['without-gradients', honestFacts({ attacks: attacks({ missed: 3 }) })],
  ['transfer', honestFacts({ attacks: attacks({ transfer: { tried: 40, missed: 2 } }) })],
  ['saturation', honestFacts({ views: spread(times(LOOKED, view({ margin: 60, slope: 300 }))) })],
  ['steps', honestFacts({ obstacles: { stepped: ['Round'], cut: [], random: [], saturating: [] } })],
  [
    'randomness',
    honestFacts({ obstacles: { stepped: [], cut: [], random: ['RandomNormalLike'], saturating: [] } }),
  ],
];

describe('each check', () => {
  it.each(SIGNS)('%s raises its suspicion, and no other does', (id, facts) => {
    expect(suspicious(facts)).toEqual([id]);
  });

  it('has a case here', () => {
    expect(SIGNS.map(([id]) => id)).toEqual(CHECK_IDS);
  });
});

describe('zero gradients', () => {
  it.each([
    ['of the margin', honestFacts({ views: spread(some(2, view({ zeroMargin: true }), view())) })],
    ['that are no numbers', honestFacts({ views: spread(some(2, view({ notFinite: true }), view())) })],
    ['on the way', honestFacts({ paths: some(2, path({ blind: 0.9 }), path()) })],
  ])('%s are suspicious, too', (_, facts) => {
    expect(suspicious(facts)).toEqual(['zero-gradients']);
  });

  it('of a single sample are not', () => {
    const check = checked(
      honestFacts({ views: spread(some(1, view({ zeroLoss: true }), view())) }),
      'zero-gradients',
    );
    expect(check).toMatchObject({ verdict: 'good', evidence: expect.stringContaining(`1 of ${LOOKED}`) });
  });

  it('are heeded once attacks pass them straight through and see something there', () => {
    const blind = honestFacts({ views: spread(times(LOOKED, view({ zeroLoss: true }))) });
    const passed = { ...blind, eased: times(LOOKED, path()), attacks: attacks({ straightThrough: true }) };
    expect(checked(blind, 'zero-gradients').heeded).toBe(false);
    expect(checked(passed, 'zero-gradients').heeded).toBe(true);
    expect(checked({ ...passed, attacks: attacks({}) }, 'zero-gradients').heeded).toBe(false);
    const still = { ...passed, eased: some(1, path({ blind: 1 }), path()) };
    expect(checked(still, 'zero-gradients').heeded).toBe(false);
  });
});

describe('a gradient that is bent', () => {
  it('is suspicious where samples stand, and otherwise only where it says next to nothing', () => {
    const verdict = (agreement: number, standing: number) =>
      checked(
        honestFacts({
          views: spread(times(LOOKED, view({ agreement }))),
          paths: some(standing, path(), path({ steps: 5, fellAt: 0.1 })),
        }),
        'local-agreement',
      ).verdict;
    expect(verdict(0.92, 2)).toBe('suspicious');
    expect(verdict(0.96, 2)).toBe('good');
    expect(verdict(0.92, 1)).toBe('good');
    expect(verdict(0.7, 0)).toBe('suspicious');
  });
});

describe('flat starts', () => {
  it('are not known where too few samples fall', () => {
    const facts = honestFacts({ paths: some(13, path({ fellAt: undefined }), path()) });
    expect(checked(facts, 'hidden-slope').verdict).toBe('unknown');
  });
});

describe('a blurred gradient', () => {
  const verdict = (paths: readonly GradientPath[]) =>
    checked(honestFacts({ paths }), 'blurred-gradient').verdict;

  it('gains what it changes alone, less what the plain one changes alone', () => {
    const gained = (more: number, fewer: number) =>
      verdict([
        ...times(more, path({ gain: 1 })),
        ...times(fewer, path({ gain: -1 })),
        ...times(LOOKED - more - fewer, path()),
      ]);
    expect(gained(4, 3)).toBe('good');
    expect(gained(4, 2)).toBe('suspicious');
    expect(gained(1, 0)).toBe('good');
  });

  it('is one of gentler functions, too', () => {
    const among = (gentle: readonly number[]) => checked(honestFacts({ gentle }), 'blurred-gradient');
    expect(among(some(2, 1, 0))).toMatchObject({
      verdict: 'suspicious',
      evidence: expect.stringMatching(/functions taken eight times as wide changed 2 more than/),
    });
    expect(among([...some(2, 1, 0).slice(1), -1]).verdict).toBe('good');
    expect(among([]).verdict).toBe('good');
  });

  it('is not known where nothing stood', () => {
    expect(verdict(times(LOOKED, path({ gain: undefined })))).toBe('unknown');
  });
});

describe('more steps', () => {
  it('count only what every attack had left standing', () => {
    const paths = some(2, path({ steps: 150, fellAt: 0.1 }), path());
    expect(checked(honestFacts({ paths, fallen: times(LOOKED, true) }), 'more-steps').verdict).toBe('good');
  });

  it('count what falls only with rounding passed straight through', () => {
    const eased = some(2, path({ steps: 10, fellAt: 0.1 }), path());
    expect(checked(honestFacts({ eased }), 'more-steps').verdict).toBe('suspicious');
  });

  it('say nothing of masking', () => {
    expect(
      all(honestFacts())
        .filter(({ masking }) => !masking)
        .map(({ id }) => id),
    ).toEqual(['more-steps']);
  });
});

describe('larger eps', () => {
  it('is no proof without bounds, where no radius holds every input', () => {
    const facts = honestFacts({
      ball: { norm: 'linf', eps: 0.1, bounds: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] },
      paths: times(LOOKED, path({ fellAt: undefined })),
    });
    expect(checked(facts, 'larger-eps').verdict).toBe('unknown');
  });
});

describe('noise', () => {
  it('that does better than attacks without gradients says that these are weak, and nothing of masking', () => {
    const facts = honestFacts({ noise: { tried: 40, fell: 9, afterGradients: false } });
    expect(checked(facts, 'noise')).toMatchObject({ verdict: 'suspicious', masking: false });
  });
});

describe('attacks without gradients', () => {
  const missed = (again: AttackFacts['again']) =>
    checked(honestFacts({ attacks: attacks({ missed: 10, again }) }), 'without-gradients').verdict;

  it('are believed only where gradient attacks that try again still miss what they found', () => {
    expect(missed(undefined)).toBe('suspicious');
    expect(missed({ tried: 10, missed: 0 })).toBe('good');
    expect(missed({ tried: 10, missed: 2 })).toBe('good');
    expect(missed({ tried: 10, missed: 5 })).toBe('suspicious');
  });
});

describe('saturation', () => {
  it('is also a ceiling under which the largest outputs crowd', () => {
    const tops = (crowded: number) =>
      honestFacts().views!.map((each, i) => ({ ...each, top: i < crowded ? 10 - i * 1e-3 : each.top }));
    const check = checked(honestFacts({ views: tops(6) }), 'saturation');
    expect(check).toMatchObject({
      verdict: 'suspicious',
      remedy: expect.stringContaining('behind its logits'),
    });
    expect(check.evidence).toContain('6 of 20 samples lie within 1.0 % of 10.0');
    expect(checked(honestFacts({ views: tops(5) }), 'saturation').verdict).toBe('good');
  });

  it('is a matter of classes', () => {
    const views = spread(times(LOOKED, view({ margin: 60, slope: 300 })));
    expect(checked(honestFacts({ views, task: 'binary' }), 'saturation').verdict).toBe('suspicious');
    expect(checked(honestFacts({ views, task: 'regression' }), 'saturation').verdict).toBe('unknown');
  });
});

describe('steps', () => {
  it('are heeded by attacks that pass them, and cuts by none', () => {
    const passed = attacks({ straightThrough: true });
    const heeded = (stepped: readonly string[], cut: readonly string[]) =>
      checked(
        honestFacts({ attacks: passed, obstacles: { stepped, cut, random: [], saturating: [] } }),
        'steps',
      ).heeded;
    expect(heeded(['Round'], [])).toBe(true);
    expect(heeded(['Round'], ['Cast'])).toBe(false);
    expect(heeded([], ['Cast'])).toBe(false);
  });
});

describe('randomness', () => {
  it.each([
    [
      'answers that differ in the graph',
      honestFacts({ views: spread(some(1, view({ gap: 0.01 }), view())) }),
    ],
    ['answers that differ in the file', honestFacts({ randomised: true })],
  ])('shows in %s', (_, facts) => {
    expect(suspicious(facts)).toEqual(['randomness']);
  });

  it('is not the last digits of a sum', () => {
    expect(suspicious(honestFacts({ views: spread(times(LOOKED, view({ gap: 1e-5 }))) }))).toEqual([]);
  });
});
