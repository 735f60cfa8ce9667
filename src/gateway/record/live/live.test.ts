import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../../../test/until.ts';
import { leafHash } from '../../../ledger/index.ts';
import { logFolder, parseTrustFile } from '../log-folder.ts';
import { type OpenRecorder, openRecorder } from '../open-recorder.ts';
import { checkReceipt } from '../receipt.ts';
import { decision, recordConfig } from '../record.fixture.ts';
import { openEntryIndex } from './entry-index.ts';
import type { DecisionQuery } from './live-question.ts';
import { type OpenLiveLog, openLiveLog } from './open-live-log.ts';

let folder = '';
const open: { close(): Promise<void> }[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-live-'));
});
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close().catch(() => {});
  await rm(folder, { recursive: true, force: true });
});

async function started(
  given: object = {},
): Promise<{ recorder: OpenRecorder; live: OpenLiveLog; failures: unknown[] }> {
  const config = recordConfig(given);
  const recorder = await openRecorder(config, { folder });
  open.push(recorder);
  const failures: unknown[] = [];
  const live = await openLiveLog(config, {
    folder,
    trust: recorder.trust,
    failed: (_, thrown) => failures.push(thrown),
  });
  open.push(live);
  return { recorder, live, failures };
}

/** Waits until so many entries are signed and indexed. */
const reaches = (live: OpenLiveLog, size: number): Promise<void> =>
  until(async () => (await live.state()).indexed >= size);

async function all(live: OpenLiveLog, query: DecisionQuery, reveal = false): Promise<number[]> {
  const entries: number[] = [];
  for (let before = query.before; ; ) {
    const page = await live.page({ ...query, before }, reveal);
    entries.push(...page.rows.map(({ entry }) => entry));
    if (page.next === undefined) return entries;
    before = Number(page.next);
  }
}

describe('the search of a running log', () => {
  it('finds decisions by everything that is asked, in pages, the newest first', async () => {
    const { recorder, live } = await started();
    const outcomes = ['answered', 'throttled', 'held'] as const;
    for (let i = 0; i < 700; i++)
      void recorder.record(
        decision(i, {
          outcome: outcomes[i % 100 === 0 ? 1 : i % 333 === 0 ? 2 : 0],
          model: i < 500 ? 'a' : 'b',
        }),
      );
    await recorder.record({ kind: 'event', at: 1, event: 'policy-changed', by: 'bob', about: { what: 'x' } });
    await reaches(live, 701);
    const expected = (keep: (i: number) => boolean) =>
      Array.from({ length: 700 }, (_, i) => 699 - i).filter(keep);
    expect(await all(live, {})).toEqual(expected(() => true));
    expect(await all(live, { most: 7, principal: 'client-1' })).toEqual(expected((i) => i % 3 === 1));
    expect(await all(live, { outcome: 'throttled' })).toEqual(expected((i) => i % 100 === 0));
    expect(await all(live, { outcome: 'answered', model: 'b', principal: 'client-2' })).toEqual(
      expected((i) => i >= 500 && i % 3 === 2 && i % 100 !== 0 && i % 333 !== 0),
    );
    expect(await all(live, { from: 1_700_000_000_100, to: 1_700_000_000_110 })).toEqual(
      expected((i) => i >= 100 && i <= 110),
    );
    expect(await all(live, { digest: `sha256:${'ab'.repeat(32)}`, tenant: 'acme', most: 200 })).toHaveLength(
      700,
    );
    expect(await all(live, { principal: 'nobody' })).toEqual([]);
    expect(await all(live, { principal: "x' or 1=1 --" })).toEqual([]);
    const page = await live.page({ id: decision(42).id }, false);
    expect(page.rows).toMatchObject([
      { entry: 42, principal: 'client-0', model: 'a', n: 1, outcome: 'answered', top: [[7, 0.998]] },
    ]);
  });

  it('shows an entry as it is in the log, and a receipt of it verifies', async () => {
    const { recorder, live } = await started();
    const entry = await recorder.record(decision(5));
    await recorder.record({ kind: 'event', at: 1, event: 'policy-changed', by: 'bob', about: { what: 'x' } });
    await reaches(live, 2);
    const detail = (await live.find(decision(5).id, false))!;
    expect(detail).toMatchObject({ entry, decision: { id: decision(5).id, principal: 'client-2' } });
    const trust = parseTrustFile(Buffer.from(JSON.stringify(recorder.trust)), 'trust');
    const receipt = checkReceipt(await recorder.receipt(entry), trust, 'receipt', Buffer.from(detail.text));
    expect(receipt.leaf).toBe(Buffer.from(leafHash(Buffer.from(detail.text))).toString('hex'));
    expect(await live.find('1', false)).toMatchObject({ event: { event: 'policy-changed', by: 'bob' } });
    expect(await live.find('99', false)).toBeUndefined();
    expect(await live.find('f'.repeat(32), false)).toBeUndefined();
    for (const odd of ['', 'x', '-1', '1e3', `${decision(5).id} `])
      await expect(live.find(odd, false)).rejects.toMatchObject({ code: 'option/invalid' });
    expect(await live.state()).toMatchObject({ size: 2, indexed: 2 });
  });

  it('opens who is sealed only with the right to, writes no name into its file, and nothing of who was erased', async () => {
    const { recorder, live } = await started({ who: 'sealed' });
    for (let i = 0; i < 9; i++) await recorder.record(decision(i));
    await reaches(live, 9);
    expect((await live.page({}, false)).rows.map(({ principal }) => principal)).toEqual(
      Array(9).fill(undefined),
    );
    await expect(live.page({ principal: 'client-1' }, false)).rejects.toMatchObject({
      code: 'option/invalid',
    });
    expect(await all(live, { principal: 'client-1' }, true)).toEqual([7, 4, 1]);
    expect((await live.page({}, true)).rows[0]).toMatchObject({ principal: 'client-2', tenant: 'acme' });
    expect(await live.find('1', true)).toMatchObject({
      decision: { principal: 'client-1', address: '192.0.2.7' },
    });
    expect((await live.find('1', false))!.decision).not.toHaveProperty('principal');
    expect(await recorder.erase('client-1', 'dpo')).toBe(true);
    expect((await live.find('1', true))!.decision).not.toHaveProperty('principal');
    expect(await all(live, { principal: 'client-1' }, true)).toEqual([]);
    await live.close();
    const database = new DatabaseSync(join(folder, 'live.db'));
    const names = database.prepare('select name from names').all();
    expect(JSON.stringify(names)).not.toContain('client-');
    database.close();
  });

  it('begins anew where its file is of another log, or of another layout', async () => {
    const first = await started();
    await first.recorder.record(decision(1));
    await reaches(first.live, 1);
    await first.live.close();
    const index = openEntryIndex(join(folder, 'live.db'));
    const { state } = index;
    index.add(1, [], { ...state!, root: Buffer.alloc(32, 1) });
    index.close();
    const live = await openLiveLog(recordConfig(), { folder, trust: first.recorder.trust, failed: () => {} });
    open.push(live);
    await reaches(live, 1);
    expect(await all(live, {})).toEqual([0]);
    await live.close();
    const database = new DatabaseSync(join(folder, 'live.db'));
    database.exec('pragma user_version = 77; drop table entries; create table entries (x)');
    database.close();
    const again = await openLiveLog(recordConfig(), {
      folder,
      trust: first.recorder.trust,
      failed: () => {},
    });
    open.push(again);
    await reaches(again, 1);
    expect(await all(again, {})).toEqual([0]);
  });

  it('makes nothing up where its index lies', async () => {
    const { recorder, live } = await started();
    for (let i = 0; i < 3; i++) await recorder.record(decision(i));
    await reaches(live, 3);
    const database = new DatabaseSync(join(folder, 'live.db'));
    const number = database.prepare("select number from names where name = 'client-1'").get()!.number!;
    database.prepare('update entries set principal = ?').run(number);
    database.close();
    expect(await all(live, { principal: 'client-1' })).toEqual([1]);
  });

  it('says so where the log was changed, and does not show what was', async () => {
    const { recorder, live } = await started();
    for (let i = 0; i < 3; i++) await recorder.record(decision(i));
    await reaches(live, 3);
    await recorder.close();
    const { log } = logFolder(folder);
    const { readdir, readFile, writeFile } = await import('node:fs/promises');
    const entries = (await readdir(join(log, 'tile', 'entries'), { recursive: true })).filter((name) =>
      /\.p.\d+$/.test(name),
    );
    const path = join(log, 'tile', 'entries', entries.at(-1)!);
    const bytes = await readFile(path);
    bytes[100]! ^= 1;
    await writeFile(path, bytes);
    await expect(live.page({}, false)).rejects.toMatchObject({ code: expect.stringMatching(/^ledger\//) });
  });
});

describe('the index of entries', () => {
  it('holds a page in few steps, wherever it lies, and says where to go on when it has looked long enough', async () => {
    let time = 0;
    let tick = 0;
    const index = openEntryIndex(join(folder, 'index.db'), () => (time += tick), 1500);
    const entry = (i: number) => ({
      schema: 'glacis.decision/1' as const,
      subject: 's',
      who: { principal: i % 2 === 0 ? 'even' : 'odd', tenant: 't' },
      decision: {
        ...decision(i),
        at: 60_000 * i,
        outcome: i === 3 ? 'held' : 'answered',
        guards: [],
        bucket: 1,
      },
    });
    for (let from = 0; from < 6000; from += 2000)
      index.add(
        from,
        Array.from({ length: 2000 }, (_, i) => entry(from + i)),
        { origin: 'o', next: from + 2000, size: from + 2000, root: Buffer.alloc(32) },
      );
    expect(index.find({ principal: 'even' }, 2, undefined)).toEqual({
      entries: [5998, 5996],
      next: 5996,
    });
    expect(index.find({ outcome: 'held', principal: 'odd' }, 5, undefined)).toMatchObject({ entries: [] });
    const found: number[] = [];
    for (let before: number | undefined = 6000, turns = 0; before !== undefined && turns < 10; turns++) {
      const page = index.find({ outcome: 'held', principal: 'odd', before }, 5, undefined);
      found.push(...page.entries);
      before = page.next;
    }
    expect(found).toEqual([3]);
    expect(index.find({ from: 60_000, to: 180_000 }, 9, undefined)).toEqual({
      entries: [3, 2, 1],
      next: undefined,
    });
    // A slow disk: it has looked at 1,024 of those of its own when the time is over.
    tick = 30;
    expect(index.find({ outcome: 'held', principal: 'odd' }, 5, undefined)).toEqual({
      entries: [],
      next: 6000 + 1 - 2 * 1024,
    });
    index.close();
  });
});
