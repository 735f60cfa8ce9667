import { join } from 'node:path';
import { randomFrom } from '../../../src/core/random.ts';
import type { DecisionDetail, DecisionRow } from '../../../src/gateway/console/api.ts';
import type { Decision, Event } from '../../../src/gateway/decision.ts';
import { recordSchema } from '../../../src/gateway/record/config-schema.ts';
import { openRecorder } from '../../../src/gateway/record/open-recorder.ts';
import { openLog, parseVerifierKey } from '../../../src/ledger/index.ts';
import { type Fixture, type FixtureCall, type Plain, Refusal } from '../fixture-server.ts';

/** A real log of made-up decisions. */
export interface RealLedger {
  readonly fixtures: readonly Fixture[];
  record(event: Event): Promise<unknown>;
  close(): Promise<void>;
}

const CALLERS = [
  'gate-cam-07',
  'fleet-berlin',
  'probe-a7',
  '<img src=x onerror="document.title=1">',
  'a\u202ebob',
];

/** Opens it in `folder` with `n` decisions. */
export async function openRealLedger(folder: string, n: number): Promise<RealLedger> {
  const now = Date.now;
  const recorder = await openRecorder(recordSchema.parse({}), { folder: join(folder, 'record'), now });
  const rng = randomFrom(1, 'ledger');
  const rows: DecisionRow[] = [];
  const details = new Map<number, Omit<DecisionDetail, 'text'>>();
  const record = async (event: Event): Promise<number> => {
    const entry = await recorder.record(event);
    details.set(entry, { entry, event });
    return entry;
  };
  await record({
    kind: 'event',
    at: now(),
    event: 'server-started',
    by: 'glacis',
    about: { models: ['traffic-signs'] },
  });
  for (let i = 0; i < n; i++) {
    const decision = decisionOf(i, now() - (n - i) * 41_000);
    const entry = await recorder.record(decision);
    details.set(entry, { entry, decision });
    rows.unshift(rowOf(entry, decision));
  }
  await record({
    ...{ kind: 'event', at: now(), event: 'key-revoked', by: 'ada' },
    about: { id: 'k4Ttq', because: 'left on a <b>train</b>' },
  });

  const { origin, keys } = recorder.trust;
  const trust = { origin, keys: keys.map(parseVerifierKey) };
  const rest: readonly Fixture[] = [
    { method: 'GET', path: '/api/decisions', run: ({ query }) => pageOf(rows, query) },
    { method: 'GET', path: '/api/decisions/:id', run: detailOf },
    {
      method: 'GET',
      path: '/api/receipts/:entry',
      run: async ({ params }): Promise<Plain> => ({
        plain: await recorder.receipt(Number(params.entry)).catch((thrown: Error) => {
          throw new Refusal(404, thrown.message);
        }),
        type: 'text/plain',
      }),
    },
    { method: 'GET', path: '/api/trust', run: () => recorder.trust },
  ];
  async function detailOf({ params }: FixtureCall): Promise<DecisionDetail | undefined> {
    const entry = /^\d+$/.test(params.id!)
      ? Number(params.id)
      : rows.find(({ id }) => id === params.id)?.entry;
    const found = entry === undefined ? undefined : details.get(entry);
    if (found === undefined) return undefined;
    const log = await openLog(recorder.source, trust);
    return { ...found, text: Buffer.from(await log.entry(entry!)).toString('utf8') };
  }
  function decisionOf(i: number, at: number): Decision {
    const principal = CALLERS[rng.integer(CALLERS.length)]!;
    const isBad = rng.uniform() < 0.2;
    const score = 0.6 + 0.39 * rng.uniform();
    return {
      kind: 'decision',
      id: Array.from({ length: 32 }, () => rng.integer(16).toString(16)).join(''),
      at,
      ...{ principal, tenant: 'acme', credential: `k${i}`, address: '10.4.2.17' },
      ...{ model: 'traffic-signs', version: '3', digest: `sha256:${'9f86d081'.repeat(8)}`, n: 1 },
      ...(isBad
        ? { outcome: 'unacceptable', because: 'near-duplicates: 31 much like it' }
        : { outcome: 'answered', detail: 'scores' }),
      guards: [
        { guard: 'margin', action: 'pass', score: 0.2 * rng.uniform() },
        { guard: 'near-duplicates', action: isBad ? 'refuse' : 'pass', score: isBad ? 31 : rng.integer(4) },
      ],
      input: { shape: [1, 3, 32, 32], mean: 0.48, deviation: 0.23, least: 0, most: 1 },
      ...(!isBad && { top: [[rng.integer(12), score]] }),
      bucket: 5,
    };
  }
  return { fixtures: rest, record, close: () => recorder.close() };
}

function rowOf(entry: number, decision: Decision): DecisionRow {
  const { id, at, principal, tenant, model, version, n, outcome, because, top, guards, divergence } =
    decision;
  const guard = guards.find(({ action }) => action !== 'pass') ?? guards[0];
  return { entry, id, at, principal, tenant, model, version, n, outcome, because, top, guard, divergence };
}

function pageOf(rows: readonly DecisionRow[], query: FixtureCall['query']) {
  const { before, most = '50' } = query;
  const fit = rows.filter(
    (row) =>
      (['principal', 'tenant', 'model', 'outcome', 'id'] as const).every(
        (name) => query[name] === undefined || query[name] === row[name] || query[name] === String(row.entry),
      ) &&
      (query.from === undefined || row.at >= Number(query.from)),
  );
  const page = fit
    .filter(({ entry }) => before === undefined || entry < Number(before))
    .slice(0, Number(most));
  return { rows: page, next: page.length === Number(most) ? String(page.at(-1)!.entry) : undefined };
}
