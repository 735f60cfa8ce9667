import { join } from 'node:path';
import { GlacisError } from '../core/error.ts';
import { type AccountingOptions, epsilonFor } from './accountant.ts';
import { appendToLedger, type LedgerAccess, readLedger } from './ledger-file.ts';
import { checkDigest, lineOf, type Reserved, type Spent } from './ledger-record.ts';
import { checkDelta, checkEpsilon, checkRun, type PrivateRun } from './private-run.ts';

/** A run on a data set, as the ledger has it. */
export interface LedgerRun {
  readonly id: string;
  /** When it was reserved, as ISO 8601 in UTC. */
  readonly at: string;
  /** Whether its end was recorded; otherwise all that was reserved counts. */
  readonly ended: boolean;
  /** What counts: the steps that were taken, or all that were reserved. */
  readonly run: PrivateRun;
}

/** What a reservation needs from outside. */
export interface Reservation extends LedgerAccess {
  readonly now: () => Date;
  /** 16 bytes that no other reservation has, such as `randomBytes(16)`. */
  readonly id: Uint8Array;
  /** The most that all runs on the data set may spend together; without it nothing is refused. */
  readonly limit?: { readonly epsilon: number; readonly delta: number } & AccountingOptions;
}

/** Where the ledger is: `GLACIS_PRIVACY_LEDGER`, or a file below `XDG_DATA_HOME`, or below `.local/share` of `home`. */
export function ledgerPath(env: Readonly<Record<string, string | undefined>>, home: string): string {
  return (
    env.GLACIS_PRIVACY_LEDGER ||
    join(env.XDG_DATA_HOME || join(home, '.local', 'share'), 'glacis', 'privacy-ledger.jsonl')
  );
}

/**
 * The runs on the data set with `digest` that spent privacy, in order; without those that ended before their first step.
 * Errors: `privacy/ledger`, `option/invalid`.
 */
export async function runsOn(path: string, digest: string): Promise<readonly LedgerRun[]> {
  checkDigest(digest);
  return runsIn(await readLedger(path), digest);
}

/**
 * Sets budget aside for `run` on the data set with `digest`; to be called before the run looks at the data. When this
 * returns, the reservation is on the disk. Gives its id, which {@link recordSpent} wants (a resumed run keeps it).
 * Errors: `privacy/budget` when all runs together would exceed the limit, `privacy/ledger`, `option/invalid`,
 * `run/cancelled`; nothing is reserved then.
 */
export async function reserve(
  path: string,
  digest: string,
  run: PrivateRun,
  { now, id, limit, ...access }: Reservation,
): Promise<string> {
  checkDigest(digest);
  checkRun(run);
  if (id.length !== 16) throw new GlacisError('option/invalid', `id: expected 16 bytes, got ${id.length}`);
  const name = Buffer.from(id).toString('hex');
  const { rate, noise, steps } = run;
  await appendToLedger(
    path,
    (records) => {
      if (records.some((record) => record.id === name))
        throw new GlacisError('option/invalid', `id: expected one that is not in the ledger, got ${name}`);
      if (limit)
        checkLimit([...runsIn(records, digest).map((r) => r.run), { rate, noise, steps }], limit, access);
      return lineOf({
        kind: 'reserved',
        id: name,
        dataSet: digest,
        rate,
        noise,
        steps,
        at: now().toISOString(),
      });
    },
    access,
  );
  return name;
}

/**
 * Records that the reserved run `id` has ended after `steps` steps, which counts from then on in place of what was reserved. Where that
 * stands there already (a process was killed right after it), nothing changes.
 * Errors: `option/invalid` for an id that is not reserved or has ended after other steps, or more steps than reserved; `privacy/ledger`.
 */
export async function recordSpent(
  path: string,
  id: string,
  steps: number,
  { now, ...access }: Pick<Reservation, 'now' | keyof LedgerAccess>,
): Promise<void> {
  await appendToLedger(
    path,
    (records) => {
      const reserved = records.find((r): r is Reserved => r.kind === 'reserved' && r.id === id);
      const spent = records.find((r): r is Spent => r.kind === 'spent' && r.id === id);
      if (spent?.steps === steps) return undefined;
      if (!reserved || spent)
        throw new GlacisError(
          'option/invalid',
          `id: expected that of a reserved run, got '${id.slice(0, 40)}'`,
        );
      if (!Number.isSafeInteger(steps) || steps < 0 || steps > reserved.steps)
        throw new GlacisError(
          'option/invalid',
          `steps: expected at most the ${reserved.steps} that were reserved, got ${steps}`,
        );
      return lineOf({ kind: 'spent', id, steps, at: now().toISOString() });
    },
    access,
  );
}

function runsIn(records: readonly (Reserved | Spent)[], digest: string): readonly LedgerRun[] {
  const ends = new Map(records.flatMap((r) => (r.kind === 'spent' ? [[r.id, r.steps] as const] : [])));
  return records.flatMap((record) => {
    if (record.kind !== 'reserved' || record.dataSet !== digest) return [];
    const { id, at, rate, noise } = record;
    const steps = ends.get(id) ?? record.steps;
    return steps === 0 ? [] : [{ id, at, ended: ends.has(id), run: { rate, noise, steps } }];
  });
}

function checkLimit(
  runs: readonly PrivateRun[],
  { epsilon, delta, ...options }: NonNullable<Reservation['limit']>,
  { signal }: LedgerAccess,
): void {
  checkEpsilon(epsilon, 'limit');
  checkDelta(delta);
  const all = epsilonFor(runs, delta, { ...options, signal });
  // Sound because what is not a number is not at most the limit.
  if (all.epsilon <= epsilon) return;
  throw new GlacisError(
    'privacy/budget',
    `privacy budget: expected at most epsilon ${epsilon} at delta ${delta} for all runs on this data set, got ${all.epsilon.toPrecision(5)}; ${runs.length - 1} runs came before`,
  );
}
