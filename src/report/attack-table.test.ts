import { expect, it } from 'vitest';
import { sampleAssessment, sampleResult } from '../assess/result.fixture.ts';
import { attackSection } from './attack-table.ts';
import { source } from './markup.ts';

it.each([
  ['attacks by gradient', 40],
  ['attacks that only ask', 0],
])('says how soon half of the samples fell, in queries and seconds: %s', (_, gradientQueries) => {
  const result = {
    ...sampleResult('pgd', 0.1, [938, 977, 1000]),
    gradientQueries,
    queriesToSuccess: [3, 12, 1480] as const,
    secondsToSuccess: [0.5, 2.5, 4] as const,
  };
  const page = source(attackSection({ ...sampleAssessment(), results: [result] })!);
  expect(page).toMatch(/half of the samples that fell did so within 12 queries each and 2\.5\ss/);
});
