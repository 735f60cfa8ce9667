import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openEntryIndex } from '../../../src/gateway/record/live/entry-index.ts';
import { logFolder, parseTrustFile } from '../../../src/gateway/record/log-folder.ts';
import { readEntry } from '../../../src/gateway/record/read-entry.ts';
import { folderSource, folderStore, openLog, openWriter } from '../../../src/ledger/index.ts';
import { logSigners } from '../../../src/registry/log-key.ts';
import {
  CLIENT_SQL,
  CLIENTS,
  clientOf,
  DAY,
  DAYS,
  digestOf,
  idOf,
  MODELS,
  modelOf,
  outcomeOf,
  tenantOf,
} from './world.ts';

/** Appends that are not acknowledged yet, at any time. */
const OUTSTANDING = 4096;

/** Writes `n` decisions behind what a recorder's log has: the log itself, signed, and not through the recorder, which would take hours. */
export async function fillLog(
  record: string,
  n: number,
  now: number,
  progress: (done: number) => void,
): Promise<void> {
  const places = logFolder(record);
  const { origin } = parseTrustFile(readFileSync(places.trustFile), places.trustFile);
  const signers = logSigners(readFileSync(places.keyFile), origin, places.keyFile);
  const writer = await openWriter(
    folderStore(places.log),
    { origin, signers, now: () => new Date() },
    { publishEvery: 5000 },
  );
  const begin = now - DAYS * DAY;
  const step = (DAYS * DAY) / n;
  let next = 0;
  await Promise.all(
    Array.from({ length: OUTSTANDING }, async () => {
      while (next < n) {
        const i = next++;
        if (i % 100_000 === 0) progress(i);
        await writer.append(entryOf(i, Math.floor(begin + i * step)));
      }
    }),
  );
  await writer.close();
}

function entryOf(i: number, at: number): Buffer {
  const client = clientOf(i);
  const model = modelOf(i);
  const end = outcomeOf(i);
  const top = end === 'answered' ? `,"top":[[${i % 10},0.98]]` : '';
  return Buffer.from(
    `{"decision":{"at":${at},"bucket":5,"digest":"${digestOf(model)}","guards":[],"id":"${idOf(i)}","model":"${model}","n":1,"outcome":"${end}"${top},"version":"1"},"schema":"glacis.decision/1","subject":"${client.toString(16).padStart(32, '0')}","who":{"credential":"key-${client}","principal":"client-${client}","tenant":"${tenantOf(client)}"}}`,
  );
}

/** Makes the index that the search would have made by reading the log: rows in one statement, the indexes afterwards. `first`: entries that were there before. */
export async function fillIndex(record: string, n: number, now: number): Promise<void> {
  const places = logFolder(record);
  const log = await openLog(
    folderSource(places.log),
    parseTrustFile(readFileSync(places.trustFile), 'trust'),
  );
  const { size, root, origin } = log.checkpoint;
  const first = size - n;
  const file = join(record, 'live.db');
  const before = [];
  for (let entry = 0; entry < first; entry++) before.push(readEntry(await log.entry(entry)));
  const index = openEntryIndex(file);
  index.clear();
  index.add(0, before, { origin, next: first, size, root });
  index.close();
  const db = new DatabaseSync(file);
  db.exec(
    'pragma synchronous = off; pragma temp_store = memory; pragma cache_size = -400000; pragma journal_mode = wal',
  );
  const made = db.prepare("select sql from sqlite_master where type = 'index' and sql is not null").all() as {
    sql: string;
  }[];
  for (const { name } of db
    .prepare("select name from sqlite_master where type = 'index' and sql is not null")
    .all() as { name: string }[])
    db.exec(`drop index ${name}`);
  const add = db.prepare('insert or ignore into names (name) values (?)');
  db.exec('begin');
  for (let i = 0; i < CLIENTS; i++) add.run(`client-${i}`);
  for (let i = 0; i < 500; i++) add.run(`tenant-${i}`);
  for (const name of [...MODELS, ...MODELS.map(digestOf), 'throttled', 'held']) add.run(name);
  db.exec('commit');
  const number = (name: string) =>
    (db.prepare('select number from names where name = ?').get(name) as { number: number }).number;
  const [client, tenant] = [number('client-0'), number('tenant-0')];
  const [signs, digits, loans] = MODELS.map(number);
  const [signsDigest, digitsDigest, loansDigest] = MODELS.map((name) => number(digestOf(name)));
  const begin = now - DAYS * DAY;
  db.exec(`begin; with recursive s(i) as (select 0 union all select i + 1 from s where i < ${n - 1})
insert into entries (entry, at, id, subject, principal, outcome, digest, tenant, model, event)
select i + ${first}, cast(${begin} + i * ${(DAYS * DAY) / n} as integer), i, null, ${client} + (${CLIENT_SQL}),
case when i % 100000 = 7 then ${number('held')} when i % 1000 = 3 then ${number('throttled')} else 1 end,
case when i % 5000 = 11 then ${loansDigest} when i % 2 = 0 then ${signsDigest} else ${digitsDigest} end,
${tenant} + (${CLIENT_SQL}) % 500,
case when i % 5000 = 11 then ${loans} when i % 2 = 0 then ${signs} else ${digits} end, null from s; commit`);
  for (const { sql } of made) db.exec(sql);
  db.prepare('update log set next = ?, size = ?, root = ?').run(size, size, root);
  db.exec('pragma wal_checkpoint(truncate)');
  db.close();
}
