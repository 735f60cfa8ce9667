import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GlacisError } from '../core/error.ts';
import { clopperPearson } from '../core/statistics/clopper-pearson.ts';
import { sampleAssessment, sampleResult, sampleWorstCase } from './result.fixture.ts';
import { type Assessment, RESULT_NORMS, SEVERITIES } from './result.ts';
import { parseAssessment, toJson } from './result-json.ts';

/** The sample with one field of its JSON changed. */
function spoiled(path: readonly (string | number)[], value: unknown): string {
  const copy = JSON.parse(toJson(sampleAssessment()));
  let at = copy;
  for (const key of path.slice(0, -1)) at = at[key];
  if (value === undefined) delete at[path.at(-1)!];
  else at[path.at(-1)!] = value;
  return JSON.stringify(copy);
}

function problem(text: string): string {
  try {
    parseAssessment(text, 'result.json');
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(GlacisError);
    expect((thrown as GlacisError).code).toBe('result/invalid');
    return (thrown as GlacisError).message;
  }
  throw new Error('was accepted');
}

const figures = fc
  .tuple(fc.integer({ min: 1, max: 1e5 }), fc.nat(), fc.nat())
  .map(([n, a, b]): [number, number, number] => {
    const clean = a % (n + 1);
    return [b % (clean + 1), clean, n];
  });
const amount = fc.double({ min: 0, max: 1e6, noNaN: true, noDefaultInfinity: true }).map((v) => v + 0);
const option = fc.jsonValue({ maxDepth: 2 }).map((v) => JSON.parse(JSON.stringify(v)));
const assessments: fc.Arbitrary<Assessment> = fc
  .record({
    name: fc.string({ minLength: 1, unit: 'binary' }),
    results: fc.array(
      fc
        .tuple(fc.string({ minLength: 1 }), amount, figures, fc.constantFrom(...RESULT_NORMS), option)
        .map(([attack, eps, counts, norm, value]) =>
          sampleResult(attack, eps, counts, { norm, options: { value } }),
        ),
      { maxLength: 4 },
    ),
    worst: fc.array(
      fc.tuple(amount, figures).map(([eps, counts]) => sampleWorstCase(eps, counts)),
      { maxLength: 3 },
    ),
    severity: fc.constantFrom(...SEVERITIES),
    note: fc.string({ unit: 'binary' }),
  })
  .map(({ name, results, worst, severity, note }) => {
    const base = sampleAssessment();
    return {
      ...base,
      model: { ...base.model, name, notes: [note] },
      results,
      // A worst case has to fit the results; one for each eps, and none for an eps that was attacked.
      worstCases: worst.filter((each, i) =>
        [...worst.slice(i + 1), ...results].every((other) => other.eps !== each.eps),
      ),
      findings: base.findings.map((each) => ({ ...each, severity })),
    };
  });

describe('toJson and parseAssessment', () => {
  it('give back what went in', () => {
    fc.assert(
      fc.property(assessments, (each) => {
        expect(parseAssessment(toJson(each))).toEqual(each);
      }),
    );
  });

  it('keeps fields of a later version', () => {
    expect(parseAssessment(spoiled(['privacy'], { auc: 0.5 }))).toMatchObject({ privacy: { auc: 0.5 } });
  });

  it('reads a file that starts with a byte order mark', () => {
    expect(parseAssessment(`\ufeff${toJson(sampleAssessment())}`).seed).toBe(7);
  });

  it('refuses to write what JSON cannot hold', () => {
    const bad = sampleAssessment({ results: [sampleResult('pgd', 0.3, [1, 2, 3], { seconds: Number.NaN })] });
    expect(() => toJson(bad)).toThrow('results[0].seconds: expected a finite number of 0 or more, got "NaN"');
  });
});

describe('parseAssessment refuses', () => {
  it.each([
    ['no JSON', 'nonsense', 'result.json: expected JSON'],
    ['a list', '[]', 'expected "schema": "glacis.assessment/1", got nothing'],
    ['null', 'null', 'expected "schema"'],
    ['another schema', '{"schema":"glacis.assessment/2"}', 'got "glacis.assessment/2"'],
    [
      'an empty result',
      '{"schema":"glacis.assessment/1"}',
      'status: expected one of complete, partial, got nothing',
    ],
    [
      'a missing field',
      spoiled(['model', 'digest'], undefined),
      'model.digest: expected a text that is not empty',
    ],
    [
      'a fraction over 1',
      spoiled(['results', 0, 'robustAccuracy'], 1.5),
      'results[0].robustAccuracy: expected a number',
    ],
    [
      'a negative eps',
      spoiled(['results', 1, 'eps'], -1),
      'results[1].eps: expected a finite number of 0 or more',
    ],
    [
      'an unknown norm',
      spoiled(['worstCases', 0, 'norm'], 'l7'),
      'worstCases[0].norm: expected one of linf, l2, l1, l0',
    ],
    [
      'an unknown suite',
      spoiled(['results', 0, 'suite'], 'magic'),
      'results[0].suite: expected one of evasion',
    ],
    ['no samples', spoiled(['results', 0, 'n'], 0), 'results[0].n: expected a whole number of 1 or more'],
    [
      'more robust than clean',
      spoiled(['results', 0, 'cleanAccuracy'], 0.5),
      'expected robustAccuracy at most',
    ],
    [
      'an interval beside the value',
      spoiled(['results', 0, 'confidence'], [0, 0.1]),
      'inside its confidence interval',
    ],
    [
      'an interval of one',
      spoiled(['results', 0, 'confidence'], [0]),
      'expected [low, high], got a list of 1',
    ],
    [
      'an unknown severity',
      spoiled(['findings', 0, 'severity'], 'dire'),
      'findings[0].severity: expected one of',
    ],
    [
      'a taxonomy of texts',
      spoiled(['findings', 0, 'taxonomy', 'nist'], 'x'),
      'findings[0].taxonomy.nist: expected a list',
    ],
    ['a time that is none', spoiled(['startedAt'], 'yesterday'), 'startedAt: expected a time as ISO 8601'],
    [
      'a class beyond the classes',
      spoiled(['results', 5, 'confusion', 'classes'], 5),
      'expected classes below 5',
    ],
    [
      'a cell of two',
      spoiled(['results', 5, 'confusion', 'cells', 0], [1, 2]),
      'cells[0]: expected [label, answer',
    ],
    [
      'a pair of classes in two cells',
      spoiled(['results', 5, 'confusion', 'cells', 1], [4, 9, 1]),
      'in one cell',
    ],
    [
      'too many findings',
      spoiled(['findings'], Array(5001).fill(0)),
      'findings: expected at most 5000 entries',
    ],
    ['two worst cases for one budget', spoiled(['worstCases', 1, 'eps'], 0.1), 'one worst case for linf 0.1'],
    [
      'a worst case better than an attack',
      spoiled(['worstCases', 2], sampleWorstCase(0.3, [900, 977, 1000])),
      'worstCases[2].robustAccuracy at most that of results[2] (0.789), got 0.9',
    ],
    ['an object for a list', spoiled(['findings'], {}), 'findings: expected a list, got an object'],
  ])('%s', (_, text, message) => {
    expect(problem(text)).toContain(message);
  });

  it('options nested without end, without running out of stack', () => {
    const deep = `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`;
    const text = toJson(sampleAssessment()).replace('"options": {}', `"options": ${deep}`);
    expect(problem(text)).toContain('expected at most 6 levels');
  });

  it('fields that come from the prototype only', () => {
    const text = `{"schema":"glacis.assessment/1","__proto__":${toJson(sampleAssessment())}}`;
    expect(problem(text)).toContain('status: expected one of complete, partial, got nothing');
  });

  it('a wall of problems in one line of bounded length', () => {
    const many = Array.from({ length: 1000 }, () => 5);
    expect(problem(spoiled(['results'], many)).length).toBeLessThan(1000);
    expect(problem(spoiled(['results'], many))).toContain('and 992 more');
  });
});

it('the fixture agrees with clopperPearson', () => {
  expect(sampleAssessment().worstCases[2]!.confidence).toEqual(clopperPearson(674, 1000));
});
