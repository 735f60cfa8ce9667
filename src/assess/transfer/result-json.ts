import { NORMS } from '../../threat/norm.ts';
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
  options,
  pair,
  positive,
  text,
  time,
} from '../json-check.ts';
import { dataSummary, environment, finding, tensors } from '../result-json.ts';
import {
  type FoolRate,
  TRANSFER_SCHEMA,
  type Transfer,
  type TransferCell,
  type TransferRow,
} from './result.ts';

/** Models in one file, and findings: two a model are what a run gives. */
const MOST_MODELS = 12;
const MOST_FINDINGS = 1000;
/** What is computed from two numbers of the file may differ from a third in the last digits. */
const ROUNDING = 1e-9;

/**
 * A transfer matrix as JSON text, two spaces of indent and a final line feed.
 *
 * @throws GlacisError `result/invalid` when a field is missing or out of range
 */
export function transferToJson(transfer: Transfer): string {
  checkTransfer(transfer, 'transfer');
  return `${JSON.stringify(transfer, null, 2)}\n`;
}

/**
 * Reads a transfer matrix from JSON text and checks every field, also against each other. Fields that this version does not know are
 * kept.
 *
 * @param where names the text in an error, e.g. its file
 * @throws GlacisError `result/invalid`, naming the fields that are wrong
 */
export function parseTransfer(text: string, where = 'transfer'): Transfer {
  return checkTransfer(jsonIn(text, where), where);
}

function checkTransfer(value: unknown, where: string): Transfer {
  return checked(value, where, {
    schema: TRANSFER_SCHEMA,
    origin: 'glacis transfer --json',
    check: transfer,
  });
}

const rateOrNull: Check = (value, path, problems) => {
  if (value !== null) fraction(value, path, problems);
};

const rates = { n: count, fooled: count, rate: rateOrNull, confidence: pair };

/** What holds between the figures of one rate. */
function counted({ n, fooled, rate, confidence: [low, high] }: FoolRate): string | undefined {
  if (fooled > n) return `expected at most ${n} fooled, got ${fooled}`;
  if (n === 0 || rate === null)
    return n === 0 && rate === null ? undefined : `expected rate ${n > 0 ? fooled / n : null}, got ${rate}`;
  if (Math.abs(rate - fooled / n) > ROUNDING) return `expected rate ${fooled / n}, got ${rate}`;
  return low > rate + ROUNDING || high < rate - ROUNDING
    ? `expected rate ${rate} inside its confidence interval, got [${low}, ${high}]`
    : undefined;
}

const own = { fooledOwn: count, fooledBoth: count, fooledAtRandom: optional(count) };
const cell = object({ ...rates, ...own }, (each: TransferCell) => {
  const { n, fooled, fooledOwn, fooledBoth, fooledAtRandom = 0 } = each;
  if (Math.max(fooledOwn, fooledAtRandom) > n)
    return `expected at most ${n} in fooledOwn and fooledAtRandom, got ${fooledOwn} and ${fooledAtRandom}`;
  const problem = counted(each);
  if (problem) return problem;
  return fooledBoth > Math.min(fooled, fooledOwn) || fooledBoth < fooled + fooledOwn - n
    ? `expected fooledBoth to fit ${fooled} and ${fooledOwn} of ${n}, got ${fooledBoth}`
    : undefined;
});

const row = object({
  model: count,
  n: positive,
  queries: count,
  gradientQueries: count,
  seconds: amount,
  refused: count,
  cells: list(cell, MOST_MODELS),
});

const model = object(
  {
    label: name,
    name,
    digest: name,
    access: one(['file', 'endpoint']),
    inputs: tensors,
    outputs: tensors,
    n: count,
    right: count,
    notes: list(text),
  },
  ({ n, right }: { n: number; right: number }) =>
    right > n ? `expected at most ${n} right, got ${right}` : undefined,
);

/** What holds between models and rows: rows of different models, an entry for each model, and no more samples than both get right. */
function fitting({ models, rows, noise, data }: Transfer): string | undefined {
  if (models.length < 2) return `expected two models or more, got ${models.length}`;
  if (new Set(rows.map((each) => each.model)).size < rows.length) return 'expected one row a model';
  const over = models.findIndex(({ n }) => n > data.n);
  if (over >= 0) return `expected models[${over}].n at most ${data.n}, got ${models[over]!.n}`;
  if (noise && (noise.length !== models.length || noise.some(({ n }, i) => n !== models[i]!.right)))
    return 'expected noise on what each model gets right';
  for (const [i, each] of rows.entries()) {
    const problem = misfit(each, models, data.n);
    if (problem) return `rows[${i}]: ${problem}`;
  }
  return undefined;
}

function misfit({ model: at, n, cells }: TransferRow, models: Transfer['models'], samples: number) {
  const own = models[at];
  if (!own) return `expected one of ${models.length} models, got ${at}`;
  if (own.access !== 'file') return 'expected no examples made on an endpoint';
  if (cells.length !== models.length) return `expected ${models.length} cells, got ${cells.length}`;
  if (n > samples) return `expected at most ${samples} samples, got ${n}`;
  const bad = cells.findIndex((each, column) => each.n > Math.min(n, own.right, models[column]!.right));
  if (bad >= 0) return `expected cells[${bad}].n at most what both models get right, got ${cells[bad]!.n}`;
  const { fooled, fooledOwn, fooledBoth } = cells[at]!;
  return fooled === fooledOwn && fooled === fooledBoth
    ? undefined
    : `expected cells[${at}] to be of one model, got ${fooled}, ${fooledOwn} and ${fooledBoth} fooled`;
}

const transfer = object(
  {
    status: one(['complete', 'partial']),
    statusReason: optional(text),
    models: list(model, MOST_MODELS),
    data: dataSummary,
    attack: object({ id: name, options }),
    norm: one(NORMS),
    eps: amount,
    seed: finite,
    environment,
    command: optional(text),
    startedAt: time,
    finishedAt: time,
    rows: list(row, MOST_MODELS),
    noise: optional(list(object(rates, counted), MOST_MODELS)),
    perSample: text,
    findings: list(finding, MOST_FINDINGS),
    notes: list(text),
  },
  fitting,
);
