import { GlacisError } from '../core/error.ts';
import { checkRun, type PrivateRun } from './private-run.ts';

/** A line of the ledger: budget set aside for a run before it starts. */
export interface Reserved extends PrivateRun {
  readonly kind: 'reserved';
  /** 32 hexadecimal digits. */
  readonly id: string;
  /** `sha256:` and 64 hexadecimal digits: {@link Dataset.digest} of the data. */
  readonly dataSet: string;
  /** When, as ISO 8601 in UTC. */
  readonly at: string;
}

/** A line of the ledger: a reserved run has ended after `steps` of its steps. */
export interface Spent {
  readonly kind: 'spent';
  readonly id: string;
  readonly steps: number;
  readonly at: string;
}

/** Most characters of a line. */
const LONGEST = 1024;

const SCHEMA = 'glacis.privacy-ledger/1';

/** The line of a record, with the newline at its end. */
export function lineOf(record: Reserved | Spent): string {
  const { kind, id, at, steps } = record;
  const line =
    kind === 'reserved'
      ? {
          schema: SCHEMA,
          kind,
          id,
          dataSet: record.dataSet,
          rate: record.rate,
          noise: record.noise,
          steps,
          at,
        }
      : { schema: SCHEMA, kind, id, steps, at };
  return `${JSON.stringify(line)}\n`;
}

/** Checks a data set's digest. Errors: `option/invalid`. */
export function checkDigest(digest: string): void {
  if (!/^sha256:[0-9a-f]{64}$/.test(digest))
    throw new GlacisError(
      'option/invalid',
      `data set: expected its digest, sha256: and 64 hexadecimal digits, got '${digest.slice(0, 80)}'`,
    );
}

/**
 * Reads a ledger's text. Every line must be exactly what {@link lineOf} writes, ids must be reserved once and spent once at
 * most, and no run may have taken more steps than were reserved. `text` is attacker-controlled.
 * Errors: `privacy/ledger` with the line's number.
 */
export function parseLedger(text: string, where: string): readonly (Reserved | Spent)[] {
  const reserved = new Map<string, Reserved>();
  const spent = new Set<string>();
  const lines = text.split('\n');
  if (lines.pop() !== '')
    throw refused(where, lines.length + 1, 'a newline at its end (was it cut off while it was written?)');
  return lines.map((line, i) => {
    const expect = (good: boolean, expected: string) => {
      if (!good) throw refused(where, i + 1, expected);
    };
    expect(line.length <= LONGEST, `at most ${LONGEST} characters`);
    const record = recordOf(line);
    expect(record !== undefined && lineOf(record) === `${line}\n`, 'a record as Glacis writes it');
    const { kind, id, at } = record!;
    expect(/^[0-9a-f]{32}$/.test(id), 'an id of 32 hexadecimal digits');
    expect(isTime(at), 'a time in ISO 8601');
    if (kind === 'reserved') {
      expect(!reserved.has(id), 'an id that is not taken');
      expect(isGood(record as Reserved), 'a data set and a run within their ranges');
      reserved.set(id, record as Reserved);
    } else {
      const { steps } = record as Spent;
      expect(reserved.has(id) && !spent.has(id), 'the id of a run that is reserved and not ended');
      expect(
        Number.isSafeInteger(steps) && steps >= 0 && steps <= reserved.get(id)!.steps,
        'no more steps than were reserved',
      );
      spent.add(id);
    }
    return record!;
  });
}

/** What `line` may be a record of; {@link lineOf} and the checks after it decide. */
function recordOf(line: string): Reserved | Spent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { kind, id, dataSet, rate, noise, steps, at } = value as Record<string, unknown>;
  const texts = [id, at].every((v) => typeof v === 'string') && typeof steps === 'number';
  if (texts && kind === 'spent') return { kind, id, steps, at } as Spent;
  const more = typeof dataSet === 'string' && typeof rate === 'number' && typeof noise === 'number';
  return texts && more && kind === 'reserved'
    ? ({ kind, id, dataSet, rate, noise, steps, at } as Reserved)
    : undefined;
}

function isGood(record: Reserved): boolean {
  try {
    checkDigest(record.dataSet);
    checkRun(record);
    return true;
  } catch {
    return false;
  }
}

function isTime(at: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(at) && !Number.isNaN(Date.parse(at));
}

function refused(where: string, line: number, expected: string): GlacisError {
  return new GlacisError('privacy/ledger', `${where}, line ${line}: expected ${expected}`);
}
