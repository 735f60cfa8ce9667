import { clopperPearson } from '../../core/statistics/clopper-pearson.ts';
import { CORRUPTIONS } from '../../threat/corruption/registry.ts';
import { CORRUPTION_SCHEMA, type CorruptionErrors, type CorruptionResult } from './result.ts';

/** The errors of one corruption at all five severities. */
export function errorsOf(corruption: string, errors: readonly number[]): CorruptionErrors {
  return { corruption, errors, meanError: errors.reduce((sum, e) => sum + e, 0) / errors.length };
}

/** A small, well-formed result for tests: 15 corruptions at five severities on 1,000 samples; errors rise from 0.1. */
export function sampleCorruption(more: Partial<CorruptionResult> = {}): CorruptionResult {
  const corruptions =
    more.corruptions ??
    CORRUPTIONS.map(({ id }, i) =>
      errorsOf(
        id,
        [1, 2, 3, 4, 5].map((s) => 0.08 + 0.0075 * s * (1 + i)),
      ),
    );
  const mean = corruptions.reduce((sum, c) => sum + c.meanError, 0) / corruptions.length;
  const wrong = Math.round(mean * 1000);
  return {
    schema: CORRUPTION_SCHEMA,
    suite: 'evasion',
    kind: 'corruption',
    n: 1000,
    image: { channels: 3, height: 32, width: 32 },
    cleanAccuracy: 0.92,
    severities: [1, 2, 3, 4, 5],
    ...(corruptions.length > 0 && {
      meanCorruptionError: mean,
      confidence: [clopperPearson(Math.max(0, wrong - 1), 1000)[0], clopperPearson(wrong + 1, 1000)[1]],
    }),
    noises: [
      { noise: 'uniform', amount: 8 / 255, error: 0.081 },
      { noise: 'gaussian', amount: 0.25, error: 0.6 },
    ],
    queries: 78_000,
    seconds: 61.5,
    perSample: 'corruption.npz',
    ...more,
    corruptions,
  };
}
