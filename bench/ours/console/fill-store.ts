import { DatabaseSync } from 'node:sqlite';
import { trafficCounter } from '../../../src/gateway/observe/rollups/traffic-counter.ts';
import { decision } from '../../../src/gateway/record/record.fixture.ts';
import { ALARMS_EACH, CASES, CLIENTS, DAY, DAYS, MINUTE, MODELS, REVIEWS } from './world.ts';

/** Keys: a gateway that loads more than 100,000 rows does not start. */
const KEYS = 90_000;

/** Writes what the sums of `n` decisions of all clients take in a store, and cases, reviews and keys: one of each that a gateway made, again and again. */
export function fillStore(file: string, n: number, now: number): void {
  const db = new DatabaseSync(file);
  db.exec('pragma synchronous = off; pragma cache_size = -200000');
  const series = (most: number) =>
    `with recursive s(i) as (select 0 union all select i + 1 from s where i < ${most - 1})`;
  const today = now - (now % DAY);
  const each = Math.floor(n / CLIENTS);
  db.exec('begin');
  for (const [m, model] of ['', ...MODELS].entries())
    db.exec(`${series(CLIENTS)} insert into clients select '${model}', 'client-' || i, 'tenant-' || (i % 500), ${each} + (i * 31) % 977 + case when i < 100 then ${n / 1000} else 0 end - ${m}, ${each * 2} + (i * 17) % 1999,
(i * 13) % 101, (i * 7) % 31, (i % 1000) / 1000.0, ${now - DAYS * DAY}, ${now} - (i * 37) % ${DAY}, i, i * 3, i * 5, i * 7 from s`);
  db.exec(
    `${series(CLIENTS * DAYS)} insert into client_days select 'client-' || (i / ${DAYS}), ${today} - (i % ${DAYS}) * ${DAY}, ${each}, ${each * 2}, i % 7, i % 3 from s`,
  );
  const counter = trafficCounter(() => now, 1);
  for (let i = 0; i < 2000; i++)
    counter.decided(decision(i, { at: now, principal: `client-${i}` }), 1 + (i % 40));
  counter.second();
  const more = counter.rows().find(({ model }) => model === '')!.more;
  const spans = [
    [MINUTE, 3 * 1440],
    [10 * MINUTE, 30 * 144],
    [60 * MINUTE, 400 * 24],
    [DAY, 400],
  ] as const;
  for (const model of ['', ...MODELS])
    for (const [span, most] of spans)
      db.prepare(
        `${series(most)} insert into traffic select ?, ?, ? - (? % ?) - i * ?, 'gateway', 200 + i % 90, i % 5, 300, i % 3, ? from s`,
      ).run(span, model, now, now, span, span, more);
  again(db, 'cases', 'id', CASES, (id) => `C-2026-${String(id + 2).padStart(4, '0')}`, {
    year: 2026,
    number: (i) => i + 2,
    updated: (i) => now - i * MINUTE,
    opened: (i) => now - i * MINUTE,
  });
  again(db, 'alarms', 'id', CASES * ALARMS_EACH, (i) => i.toString(16).padStart(32, 'a'), {
    case_id: (i) => `C-2026-${String(Math.floor(i / ALARMS_EACH) + 2).padStart(4, '0')}`,
    at: (i) => now - Math.floor((i * MINUTE) / ALARMS_EACH),
  });
  again(db, 'api_keys', 'id', KEYS, (i) => `key${String(i).padStart(9, '0')}`, {
    hash: (i) => i.toString(16).padStart(64, '0'),
    principal: (i) => `client-${i}`,
    roles: '[]',
  });
  again(db, 'principals', 'id', CLIENTS, (i) => `client-${i}`, {});
  db.exec('commit; analyze');
  const review = db.prepare(
    "insert into reviews (id, at, kind, principal, tenant, model, version, digest, divergence, summary, state, expires) values (?, ?, 'divergence', ?, 't', 'signs', '1', 'sha256:1', 0.5, ?, ?, ?)",
  );
  const summary = JSON.stringify({
    samples: [{ index: 0, divergence: 0.5, first: [1, 0.9], second: [2, 0.8] }],
    n: 1,
    votes: [],
    revision: 0,
    subject: 's',
  });
  db.exec('begin');
  for (let i = 0; i < REVIEWS; i++)
    review.run(
      i.toString(16).padStart(32, '0'),
      now - i * MINUTE,
      `client-${i}`,
      summary,
      i < 200 ? 'open' : 'released',
      now + DAY,
    );
  db.exec('commit');
  db.close();
}

type Value = string | number;

/** Copies the one row of a table with other columns; its id, where it stands in the row's JSON, too. */
function again(
  db: DatabaseSync,
  table: string,
  key: string,
  most: number,
  idOf: (i: number) => string,
  over: Readonly<Record<string, Value | ((i: number) => Value)>>,
): void {
  const row = db.prepare(`select * from ${table} limit 1`).get() as Record<string, Value | null>;
  const old = String(row[key]);
  const names = Object.keys(row);
  const insert = db.prepare(
    `insert or ignore into ${table} (${names.join(', ')}) values (${names.map(() => '?').join(', ')})`,
  );
  for (let i = 0; i < most; i++) {
    const id = idOf(i);
    insert.run(
      ...names.map((name) => {
        const other = name === key ? id : over[name];
        const value = typeof other === 'function' ? other(i) : (other ?? row[name]!);
        return name === 'body' || name === 'words' ? String(value).replaceAll(old, id) : value;
      }),
    );
  }
}
