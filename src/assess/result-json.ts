import { GlacisError } from '../core/error.ts';
import { ASSESSMENT_SCHEMA, type Assessment, RESULT_NORMS, SEVERITIES } from './result.ts';

/** Everything wrong with a value, each as `path: expected X, got Y`. */
type Check = (value: unknown, path: string, problems: string[]) => void;

/** Problems that an error names; the rest is counted. */
const SHOWN = 8;
/** Results, worst cases or findings in one file: far more than a run makes, few enough for a report. */
const MOST = 5000;
/** How deep an attack's options may nest. */
const OPTION_DEPTH = 6;

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
  let value: unknown;
  try {
    value = JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch (cause) {
    throw new GlacisError('result/invalid', `${where}: expected JSON, got text that does not parse`, {
      cause,
    });
  }
  return checkAssessment(value, where);
}

/**
 * The value itself, if it is a well-formed assessment.
 *
 * @throws GlacisError `result/invalid`, naming the fields that are wrong
 */
export function checkAssessment(value: unknown, where: string): Assessment {
  const schema =
    typeof value === 'object' && value !== null ? (value as { schema?: unknown }).schema : undefined;
  if (schema !== ASSESSMENT_SCHEMA) {
    throw new GlacisError(
      'result/invalid',
      `${where}: expected "schema": "${ASSESSMENT_SCHEMA}", got ${describe(schema)}; is this the file that \`glacis assess --json\` wrote?`,
    );
  }
  const problems: string[] = [];
  assessment(value, '', problems);
  if (problems.length > 0) {
    const more = problems.length > SHOWN ? `; and ${problems.length - SHOWN} more` : '';
    throw new GlacisError('result/invalid', `${where}: ${problems.slice(0, SHOWN).join('; ')}${more}`);
  }
  return value as Assessment;
}

/** A short name of a value for an error; long or structured ones are not repeated. */
function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return 'an object';
  return JSON.stringify(typeof value === 'string' ? value.slice(0, 40) : String(value));
}

const rule =
  (expected: string, holds: (value: unknown) => boolean): Check =>
  (value, path, problems) => {
    if (!holds(value)) problems.push(`${path}: expected ${expected}, got ${describe(value)}`);
  };

const text = rule('a text', (v) => typeof v === 'string');
const name = rule('a text that is not empty', (v) => typeof v === 'string' && v !== '');
const fraction = rule('a number between 0 and 1', (v) => typeof v === 'number' && v >= 0 && v <= 1);
const amount = rule('a finite number of 0 or more', (v) => Number.isFinite(v) && (v as number) >= 0);
const count = rule('a whole number of 0 or more', isCount);
const positive = rule('a whole number of 1 or more', (v) => Number.isSafeInteger(v) && (v as number) >= 1);
const finite = rule('a finite number', Number.isFinite);
const dimension = rule('a size or the name of a free dimension', (v) => typeof v === 'string' || isCount(v));
const time = rule(
  'a time as ISO 8601',
  (v) => typeof v === 'string' && /^\d{4}-\d\d-\d\dT/.test(v) && !Number.isNaN(Date.parse(v)),
);
const one = (values: readonly string[]) =>
  rule(`one of ${values.join(', ')}`, (v) => values.includes(v as string));

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

const list =
  (item: Check, most = Number.POSITIVE_INFINITY): Check =>
  (value, path, problems) => {
    if (!Array.isArray(value)) problems.push(`${path}: expected a list, got ${describe(value)}`);
    else if (value.length > most) {
      problems.push(`${path}: expected at most ${most} entries, got ${value.length}`);
    } else for (let i = 0; i < value.length; i++) item(value[i], `${path}[${i}]`, problems);
  };

const optional =
  (check: Check): Check =>
  (value, path, problems) => {
    if (value !== undefined) check(value, path, problems);
  };

/** An object with these fields; `also` sees it only when each field is good. */
const object =
  (fields: Readonly<Record<string, Check>>, also?: (value: never) => string | undefined): Check =>
  (value, path, problems) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      problems.push(`${path || 'the file'}: expected an object, got ${describe(value)}`);
      return;
    }
    const before = problems.length;
    for (const [key, check] of Object.entries(fields)) {
      const field = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
      check(field, path ? `${path}.${key}` : key, problems);
    }
    const problem = problems.length === before ? also?.(value as never) : undefined;
    if (problem) problems.push(path ? `${path}: ${problem}` : problem);
  };

/** Any JSON value with finite numbers, at most `depth` levels deep. */
const json =
  (depth: number): Check =>
  (value, path, problems) => {
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
    if (typeof value === 'number') return finite(value, path, problems);
    if (typeof value !== 'object') problems.push(`${path}: expected a JSON value, got ${describe(value)}`);
    else if (depth === 0) problems.push(`${path}: expected at most ${OPTION_DEPTH} levels, got more`);
    else
      for (const [key, item] of Object.entries(value))
        json(depth - 1)(item, `${path}.${key.slice(0, 40)}`, problems);
  };

const options: Check = (value, path, problems) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.push(`${path}: expected an object, got ${describe(value)}`);
  } else json(OPTION_DEPTH)(value, path, problems);
};

const pair: Check = (value, path, problems) => {
  if (!Array.isArray(value) || value.length !== 2)
    problems.push(`${path}: expected [low, high], got ${describe(value)}`);
  else for (let i = 0; i < 2; i++) fraction(value[i], `${path}[${i}]`, problems);
};

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
const tensors = list(object({ name: text, type: name, shape: list(dimension) }));

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
    confusion: optional(confusion),
    notes: optional(list(text)),
  },
  figures,
);

const worstCase = object(
  { ...budget, attacks: list(name), ...accuracies, confusion: optional(confusion) },
  figures,
);

const finding = object({
  id: name,
  title: name,
  severity: one(SEVERITIES),
  taxonomy: object({ atlas: list(name), owasp: list(name), nist: list(name) }),
  evidence: text,
  remedy: text,
});

const assessment = object(
  {
    status: one(['complete', 'partial']),
    statusReason: optional(text),
    model: object({ name, digest: name, inputs: tensors, outputs: tensors, notes: list(text) }),
    data: object({
      digest: name,
      n: count,
      description: text,
      notes: list(text),
      classNames: optional(list(text)),
    }),
    seed: finite,
    environment: object({
      glacis: name,
      onnxruntime: name,
      node: name,
      os: name,
      cpu: text,
      threads: positive,
      device: name,
    }),
    command: optional(text),
    startedAt: time,
    finishedAt: time,
    results: list(evasion, MOST),
    worstCases: list(worstCase, MOST),
    findings: list(finding, MOST),
  },
  joined,
);
