import { NORMS } from '../../threat/norm.ts';
import { calibrationCheck, rateCheck } from '../generalisation/result-json.ts';
import {
  amount,
  checked,
  count,
  finite,
  fraction,
  isCount,
  jsonIn,
  list,
  name,
  object,
  one,
  optional,
  positive,
  rule,
  text,
  time,
} from '../json-check.ts';
import { dataSummary, environment } from '../result-json.ts';
import { ATTACKERS, DEFENCE_SCHEMA, type DefenceEvaluation, type DefenceRow } from './result.ts';

/**
 * An evaluation of a defence as JSON text, two spaces of indent and a final line feed.
 *
 * @throws GlacisError `result/invalid` when a field is missing or out of range
 */
export function defenceToJson(evaluation: DefenceEvaluation): string {
  return `${JSON.stringify(checkDefence(evaluation, 'defence'), null, 2)}\n`;
}

/**
 * Reads an evaluation of a defence from JSON text and checks every field, also against each other.
 *
 * @param where names the text in an error, e.g. its file
 * @throws GlacisError `result/invalid`, naming the fields that are wrong
 */
export function parseDefence(text: string, where = 'defence'): DefenceEvaluation {
  return checkDefence(jsonIn(text, where), where);
}

function checkDefence(value: unknown, where: string): DefenceEvaluation {
  return checked(value, where, { schema: DEFENCE_SCHEMA, origin: 'glacis defend --json', check: evaluation });
}

/** What is computed from two numbers of the file may differ from a third in the last digits. */
const ROUNDING = 1e-9;

const difference = rule('a number between -1 and 1', (v) => typeof v === 'number' && v >= -1 && v <= 1);

const row = object(
  {
    attacker: one(ATTACKERS),
    attack: optional(name),
    undefended: rateCheck,
    defended: rateCheck,
    difference,
    interval: rule(
      'two numbers between -1 and 1',
      (v) => Array.isArray(v) && v.length === 2 && v.every((x) => typeof x === 'number' && Math.abs(x) <= 1),
    ),
    pairs: object({ both: count, onlyFirst: count, onlySecond: count, neither: count }),
    p: fraction,
  },
  ({ undefended, defended, difference: d, pairs }: DefenceRow) => {
    if (undefended.n !== defended.n) return 'expected both rates on the same samples';
    if (Math.abs(defended.accuracy - undefended.accuracy - d) > ROUNDING)
      return `expected difference ${defended.accuracy - undefended.accuracy}, got ${d}`;
    return pairs.both + pairs.onlyFirst === undefended.right &&
      pairs.both + pairs.onlySecond === defended.right
      ? undefined
      : 'expected pairs that add up to both rates';
  },
);

const detectorRow = object(
  { attacker: one([...ATTACKERS.slice(1, -1), 'detector-aware']), n: count, fooled: count, rejected: count },
  ({ n, fooled, rejected }: { n: number; fooled: number; rejected: number }) =>
    rejected <= fooled && fooled <= n
      ? undefined
      : 'expected no more rejected than fooled, and no more than n',
);

const model = object({ name, digest: name, notes: list(text) });
const yesOrNo = rule('true or false', (v) => typeof v === 'boolean');

const evaluation = object(
  {
    undefended: model,
    defended: model,
    defences: text,
    randomised: yesOrNo,
    data: dataSummary,
    norm: one(NORMS),
    eps: amount,
    seed: rule('a whole number', (v) => isCount(Math.abs(v as number))),
    environment,
    command: optional(text),
    startedAt: time,
    finishedAt: time,
    rows: list(row, ATTACKERS.length),
    detector: optional(
      object({
        squeezers: list(name, 100),
        threshold: amount,
        falsePositiveRate: fraction,
        samples: positive,
        passed: rateCheck,
        rows: list(detectorRow, ATTACKERS.length),
      }),
    ),
    temperature: optional(
      object({
        temperature: finite,
        atLimit: yesOrNo,
        samples: positive,
        before: calibrationCheck,
        after: calibrationCheck,
      }),
    ),
  },
  joined,
);

/**
 * Sound because a file could otherwise leave out the attacker who tells what the defence is worth, or claim that all of them together do
 * less than one.
 */
function joined({ rows, data }: DefenceEvaluation): string | undefined {
  const missing = ATTACKERS.find(
    (a) => a !== 'adaptive' && rows.filter(({ attacker }) => attacker === a).length !== 1,
  );
  if (missing) return `expected the attacker ${missing} once, got it otherwise`;
  if (rows.some(({ defended }) => defended.n !== data.n)) return `expected rows on ${data.n} samples`;
  const worst = rows.find(({ attacker }) => attacker === 'worst')!;
  return rows.some(({ defended }) => defended.right < worst.defended.right)
    ? 'expected no attacker to leave less standing than the worst case'
    : undefined;
}
