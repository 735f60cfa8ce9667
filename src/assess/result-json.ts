import { corruptionCheck } from './corruption/result-json.ts';
import { generalisationCheck } from './generalisation/result-json.ts';
import {
  amount,
  type Check,
  checked,
  count,
  describe,
  finite,
  fraction,
  isCount,
  jsonIn,
  list,
  name,
  object,
  one,
  optional,
  options,
  pair,
  positive,
  rule,
  text,
  time,
} from './json-check.ts';
import { reliabilityCheck } from './reliability/reliability-json.ts';
import { ASSESSMENT_SCHEMA, type Assessment, RESULT_NORMS, SEVERITIES } from './result.ts';

/** Results, worst cases or findings in one file: far more than a run makes, few enough for a report. */
const MOST = 5000;

/**
 * An assessment as JSON text, two spaces of indent and a final line feed.
 *
 * @throws GlacisError `result/invalid` when a field is missing or out of range (a NaN would silently become `null`)
 */
export function toJson(assessment: Assessment): string {
  checkAssessment(assessment, 'assessment');
  return `${JSON.stringify(assessment, null, 2)}\n`;
}

/**
 * Reads an assessment from JSON text and checks every field. Fields that this version does not know are kept.
 *
 * @param where names the text in an error, e.g. its file
 * @throws GlacisError `result/invalid`, naming the fields that are wrong
 */
export function parseAssessment(text: string, where = 'assessment'): Assessment {
  return checkAssessment(jsonIn(text, where), where);
}

/**
 * The value itself, if it is a well-formed assessment.
 *
 * @throws GlacisError `result/invalid`, naming the fields that are wrong
 */
export function checkAssessment(value: unknown, where: string): Assessment {
  return checked(value, where, {
    schema: ASSESSMENT_SCHEMA,
    origin: 'glacis assess --json',
    check: assessment,
  });
}

const amountOrNull = rule(
  'a finite number of 0 or more, or null',
  (v) => v === null || (Number.isFinite(v) && (v as number) >= 0),
);
const dimension = rule('a size or the name of a free dimension', (v) => typeof v === 'string' || isCount(v));
const cell: Check = (value, path, problems) => {
  if (!Array.isArray(value) || value.length !== 3 || !value.every(isCount) || value[2] < 1) {
    problems.push(`${path}: expected [label, answer, samples], got ${describe(value)}`);
  }
};

const confusion = object(
  { classes: positive, cells: list(cell) },
  (c: { classes: number; cells: number[][] }) => {
    if (new Set(c.cells.map((each) => `${each[0]} ${each[1]}`)).size < c.cells.length) {
      return 'expected each pair of label and answer in one cell, got one in several';
    }
    const bad = c.cells.findIndex((each) => each[0]! >= c.classes || each[1]! >= c.classes);
    return bad < 0 ? undefined : `expected classes below ${c.classes}, got one more in cells[${bad}]`;
  },
);

/**
 * What holds between results and worst cases: one worst case a budget, and none better than an attack on as many samples.
 * Without this a made-up worst case could turn a bad verdict into a good one.
 */
function joined({ results, worstCases }: Assessment): string | undefined {
  const budgets = new Map<string, number>();
  for (const [i, worst] of worstCases.entries()) {
    const budget = `${worst.norm} ${worst.eps}`;
    if (budgets.has(budget)) return `expected one worst case for ${budget}, got one more in worstCases[${i}]`;
    budgets.set(budget, i);
  }
  for (const [i, result] of results.entries()) {
    const at = budgets.get(`${result.norm} ${result.eps}`);
    const worst = at === undefined ? undefined : worstCases[at]!;
    if (worst && worst.n === result.n && worst.robustAccuracy > result.robustAccuracy + 1e-9) {
      return `expected worstCases[${at}].robustAccuracy at most that of results[${i}] (${result.robustAccuracy}), got ${worst.robustAccuracy}`;
    }
  }
  return undefined;
}

interface Accuracies {
  readonly cleanAccuracy: number;
  readonly robustAccuracy: number;
  readonly confidence: readonly [number, number];
}

/** What holds between the figures of one result; the slack allows for rounding. */
function figures({ cleanAccuracy, robustAccuracy, confidence: [low, high] }: Accuracies): string | undefined {
  if (robustAccuracy > cleanAccuracy + 1e-9) {
    return `expected robustAccuracy at most cleanAccuracy (${cleanAccuracy}), got ${robustAccuracy}`;
  }
  if (low > robustAccuracy + 1e-9 || high < robustAccuracy - 1e-9) {
    return `expected robustAccuracy ${robustAccuracy} inside its confidence interval, got [${low}, ${high}]`;
  }
  return undefined;
}

const budget = { norm: one(RESULT_NORMS), eps: amount, n: positive };
const accuracies = { cleanAccuracy: fraction, robustAccuracy: fraction, confidence: pair };
/** Inputs or outputs of a model. */
export const tensors = list(object({ name: text, type: name, shape: list(dimension) }));

const evasion = object(
  {
    suite: one(['evasion']),
    attack: name,
    options,
    ...budget,
    ...accuracies,
    queries: count,
    gradientQueries: optional(count),
    seconds: amount,
    perSample: text,
    minimum: optional(object({ n: count, found: count, quartiles: list(amountOrNull, 3) })),
    queriesToSuccess: optional(list(amount, 3)),
    secondsToSuccess: optional(list(amount, 3)),
    parts: optional(list(object({ attack: name, fell: count }))),
    confusion: optional(confusion),
    notes: optional(list(text)),
  },
  figures,
);

const worstCase = object(
  { ...budget, attacks: list(name), ...accuracies, confusion: optional(confusion) },
  figures,
);

const point: Check = (value, path, problems) => {
  if (
    !Array.isArray(value) ||
    value.length !== 2 ||
    !value.every((v) => Number.isFinite(v) && v >= 0) ||
    value[1] > 1
  )
    problems.push(`${path}: expected [eps, accuracy], got ${describe(value)}`);
};

const curve = object(
  { norm: one(RESULT_NORMS), n: positive, points: list(point), halving: amountOrNull },
  ({ points }: { points: [number, number][] }) => {
    const bad = points.findIndex(
      ([eps, accuracy], i) => i > 0 && (eps < points[i - 1]![0] || accuracy > points[i - 1]![1]),
    );
    return bad < 0 ? undefined : `expected eps to rise and accuracy to fall, got otherwise in points[${bad}]`;
  },
);

/** A finding. */
export const finding = object({
  id: name,
  title: name,
  severity: one(SEVERITIES),
  taxonomy: object({ atlas: list(name), owasp: list(name), nist: list(name) }),
  evidence: text,
  remedy: text,
});

/** What samples were used. */
export const dataSummary = object({
  digest: name,
  n: count,
  description: text,
  notes: list(text),
  classNames: optional(list(text)),
});

/** What it ran on. */
export const environment = object({
  glacis: name,
  onnxruntime: name,
  node: name,
  os: name,
  cpu: text,
  threads: positive,
  device: name,
});

const assessment = object(
  {
    status: one(['complete', 'partial']),
    statusReason: optional(text),
    model: object({ name, digest: name, inputs: tensors, outputs: tensors, notes: list(text) }),
    data: dataSummary,
    seed: finite,
    towards: optional(object({ choice: name, attacked: count })),
    environment,
    command: optional(text),
    startedAt: time,
    finishedAt: time,
    results: list(evasion, MOST),
    worstCases: list(worstCase, MOST),
    curves: optional(list(curve, MOST)),
    corruption: optional(corruptionCheck),
    reliability: optional(reliabilityCheck),
    generalisation: optional(generalisationCheck),
    findings: list(finding, MOST),
  },
  joined,
);
