import { RANDOM_NOISES } from '../../threat/corruption/random-noise.ts';
import { CORRUPTION_SEVERITIES } from '../../threat/corruption/severity.ts';
import {
  amount,
  type Check,
  checked,
  count,
  finite,
  fraction,
  jsonIn,
  list,
  name,
  object,
  one,
  optional,
  pair,
  positive,
  rule,
  text,
} from '../json-check.ts';
import { CORRUPTION_SCHEMA, type CorruptionErrors, type CorruptionResult } from './result.ts';

/** Corruptions or noises in one result: far more than there are. */
const MOST = 1000;
/** What is computed from other numbers of the file may differ from them in the last digits. */
const ROUNDING = 1e-9;

/**
 * A result as JSON text, two spaces of indent and a final line feed.
 *
 * @throws GlacisError `result/invalid` when a field is missing or out of range
 */
export function corruptionToJson(result: CorruptionResult): string {
  checkCorruption(result, 'corruption result');
  return `${JSON.stringify(result, null, 2)}\n`;
}

/**
 * Reads a result from JSON text and checks every field, also against each other. Fields that this version does not know are kept.
 *
 * @param where names the text in an error, e.g. its file
 * @throws GlacisError `result/invalid`, naming the fields that are wrong
 */
export function parseCorruption(text: string, where = 'corruption result'): CorruptionResult {
  return checkCorruption(jsonIn(text, where), where);
}

function checkCorruption(value: unknown, where: string): CorruptionResult {
  return checked(value, where, {
    schema: CORRUPTION_SCHEMA,
    origin: 'glacis assess --json',
    check: corruptionCheck,
  });
}

const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
const close = (a: number, b: number) => Math.abs(a - b) <= ROUNDING;
const ratio = rule(
  'a finite number or null',
  (v) => v === null || (typeof v === 'number' && Number.isFinite(v)),
);
const severity = rule('a severity from 1 to 5', (v) =>
  (CORRUPTION_SEVERITIES as readonly unknown[]).includes(v),
);

const errors = object(
  { corruption: name, errors: list(fraction), meanError: fraction },
  (each: CorruptionErrors) =>
    each.errors.length > 0 && close(each.meanError, mean(each.errors))
      ? undefined
      : `expected meanError to be the mean of errors, got ${each.meanError}`,
);

const relative = object({
  baseline: name,
  corruptions: list(
    object({ corruption: name, corruptionError: ratio, relativeCorruptionError: ratio }),
    MOST,
  ),
  meanCorruptionError: optional(amount),
  relativeMeanCorruptionError: optional(finite),
});

/** What holds between the figures of one result. */
function whole(result: CorruptionResult): string | undefined {
  const { corruptions, severities, meanCorruptionError, confidence } = result;
  if (severities.some((s, i) => i > 0 && s <= severities[i - 1]!)) return 'expected rising severities';
  const uneven = corruptions.find((each) => each.errors.length !== severities.length);
  if (uneven)
    return `expected ${severities.length} errors of ${uneven.corruption}, got ${uneven.errors.length}`;
  if (new Set(corruptions.map((each) => each.corruption)).size < corruptions.length)
    return 'expected each corruption once';
  if (corruptions.length === 0)
    return meanCorruptionError === undefined ? undefined : 'expected no mean without a corruption';
  if (meanCorruptionError === undefined || confidence === undefined)
    return 'expected meanCorruptionError and confidence';
  if (!close(meanCorruptionError, mean(corruptions.map((each) => each.meanError))))
    return `expected meanCorruptionError to be the mean of all corruptions, got ${meanCorruptionError}`;
  const [low, high] = confidence;
  return low > meanCorruptionError + ROUNDING || high < meanCorruptionError - ROUNDING
    ? `expected meanCorruptionError ${meanCorruptionError} inside its confidence interval, got [${low}, ${high}]`
    : undefined;
}

/** Every field of a {@link CorruptionResult}, for a file that holds one among other things. */
export const corruptionCheck: Check = object(
  {
    schema: one([CORRUPTION_SCHEMA]),
    suite: one(['evasion']),
    kind: one(['corruption']),
    n: positive,
    image: object({ channels: positive, height: positive, width: positive }),
    cleanAccuracy: fraction,
    severities: list(severity, CORRUPTION_SEVERITIES.length),
    corruptions: list(errors, MOST),
    meanCorruptionError: optional(fraction),
    confidence: optional(pair),
    noises: list(object({ noise: one(RANDOM_NOISES), amount, error: fraction }), MOST),
    relative: optional(relative),
    queries: count,
    seconds: amount,
    perSample: optional(text),
    notes: optional(list(text)),
  },
  whole,
);
