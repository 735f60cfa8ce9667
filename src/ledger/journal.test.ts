import { cpSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { auditLog } from './audit.ts';
import { framed } from './entry-bundle.ts';
import type { JournalFile } from './journal-file.ts';
import { entriesOf, formatRecord, NO_RECORD, readSegment } from './journal-record.ts';
import { JOURNAL_PATHS, type JournalStore } from './journal-store.ts';
import { killRounds } from './kill-rounds.fixture.ts';
import { openLog } from './log-reader.ts';
import { folderSource } from './log-source.ts';
import { folderStore, type LogStore } from './log-store.ts';
import { createLog, type LogWriter, openWriter } from './log-writer.ts';
import { fixedSigner } from './note-keys.fixture.ts';
import { verifyProof } from './proof-file.ts';

const ORIGIN = 'example.com/journal';
const signer = fixedSigner(ORIGIN);
const identity = { origin: ORIGIN, signers: [signer], now: () => new Date(1_700_000_000_000) };
const trust = { origin: ORIGIN, keys: [signer] };
const NEVER = { publishEvery: 1e8 };
const entry = (i: number) => Buffer.from(`entry ${i}`);

let home = '';
let folder = '';
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'glacis-journal-'));
  folder = join(home, 'log');
});
afterEach(() => rm(home, { recursive: true, force: true }));

const code = (work: Promise<unknown>) =>
  work.then(
    () => 'nothing was thrown',
    (thrown: { code?: string }) => thrown.code ?? String(thrown),
  );
const fill = (writer: LogWriter, from: number, to: number) =>
  Promise.all(Array.from({ length: to - from }, (_, i) => writer.append(entry(from + i))));
/** What a crash now would leave, in a folder of its own. */
async function crashed(name = 'crashed'): Promise<string> {
  const copy = join(home, name);
  // Without a pause, so that nothing changes meanwhile but for one call that may be under way.
  cpSync(folder, copy, { recursive: true });
  await rm(join(copy, '.lock'), { force: true });
  return copy;
}
/** A segment without the room that was made for more records. */
function withoutRoom(segment: Buffer): Buffer {
  const { records, torn } = readSegment(segment, signer, 'x');
  const length = records.reduce((sum, { payload }) => sum + 64 + payload.length + 64, torn);
  return segment.subarray(0, length);
}
async function recover(at: string): Promise<string[]> {
  const writer = await openWriter(folderStore(at), identity);
  await writer.close();
  const log = await openLog(folderSource(at), trust);
  await auditLog(log, folderSource(at));
  const all: string[] = [];
  for await (const bytes of log.entries()) all.push(Buffer.from(bytes).toString());
  return all;
}
const expected = (n: number) => Array.from({ length: n }, (_, i) => `entry ${i}`);

describe('a log with a journal', () => {
  it('acknowledges before the checkpoint, and a crash then loses nothing', async () => {
    const writer = await createLog(folderStore(folder), identity, NEVER);
    await fill(writer, 0, 3);
    await fill(writer, 3, 700);
    expect(writer.checkpoint.size).toBe(0);
    const copy = await crashed();
    expect(await recover(copy)).toEqual(expected(700));
    expect(await readdir(join(copy, '.journal'))).toEqual([]);
    await writer.close();
    expect(await readdir(join(folder, '.journal'))).toEqual([]);
    expect(await recover(folder)).toEqual(expected(700));
  });

  it('flushes once for all that comes together, and acknowledges nothing before that', async () => {
    let appends = 0;
    let acknowledged = 0;
    let early = 0;
    const plain = folderStore(folder);
    const open = async (path: string): Promise<JournalFile> => {
      const file = await plain.journal!.open(path);
      const append = async (bytes: Uint8Array) => {
        appends++;
        await file.append(bytes);
        await new Promise((resolve) => setTimeout(resolve, 5));
        early += acknowledged;
      };
      return { ...file, append };
    };
    const store = { ...plain, journal: { ...plain.journal!, open } };
    const writer = await createLog(store, identity, NEVER);
    appends = 0;
    await Promise.all(
      Array.from({ length: 500 }, async (_, i) => {
        await writer.append(entry(i));
        acknowledged++;
      }),
    );
    expect([appends, early]).toEqual([1, 0]);
    await writer.close();
  });

  it('says what it made good', async () => {
    const writer = await createLog(folderStore(folder), identity, NEVER);
    await fill(writer, 0, 10);
    await writer.refresh();
    await fill(writer, 10, 25);
    const copy = await crashed();
    await writer.close();
    const again = await openWriter(folderStore(copy), identity, NEVER);
    expect(again.recovered).toEqual({ entries: 15, torn: 0 });
    expect(await again.append(entry(25))).toBe(25);
    await again.close();
    const clean = await openWriter(folderStore(copy), identity, NEVER);
    expect(clean.recovered).toBeUndefined();
    await clean.close();
    expect(await recover(copy)).toEqual(expected(26));
  });

  it('signs within the time that was asked for, and proves an entry as soon as it is asked to', async () => {
    const writer = await createLog(folderStore(folder), identity, { publishEvery: 5 });
    await fill(writer, 0, 5);
    while (writer.checkpoint.size < 5) await new Promise((resolve) => setTimeout(resolve, 2));
    const [index] = await Promise.all([writer.append(entry(5)), writer.append(entry(6))]);
    const signed = await writer.refresh();
    expect(signed.size).toBe(7);
    const proof = await (await openLog(folderSource(folder), trust)).prove(index);
    expect(verifyProof(proof, entry(5), trust).index).toBe(5);
    await writer.close();
  });

  it('takes several entries at once, in order', async () => {
    const writer = await createLog(folderStore(folder), identity, NEVER);
    const [a, b] = await Promise.all([
      writer.appendAll([entry(0), entry(1)]),
      writer.appendAll([entry(2), entry(3), entry(4)]),
    ]);
    expect([a, b]).toEqual([0, 2]);
    await writer.close();
    expect(await recover(folder)).toEqual(expected(5));
  });

  it('turns to the other segment when one is full, and a crash at any time of that loses nothing', async () => {
    const plain = folderStore(folder);
    const stops: string[] = [];
    const copies: [string, number][] = [];
    let acknowledged = 0;
    const stop = async (what: string) => {
      stops.push(what);
      const name = `stop-${stops.length}`;
      const before = acknowledged;
      await crashed(name);
      copies.push([join(home, name), before]);
    };
    const journal = plain.journal as JournalStore;
    const store: LogStore = {
      ...plain,
      journal: {
        ...journal,
        async open(path) {
          const file = await journal.open(path);
          await stop('opened');
          let isBegun = false;
          const append = async (bytes: Uint8Array) => {
            await file.append(bytes);
            if (!isBegun) await stop('begun');
            isBegun = true;
          };
          return { ...file, append };
        },
        async flush(paths) {
          await stop('before flush');
          await journal.flush(paths);
          await stop('flushed');
        },
        async remove(paths) {
          await journal.remove(paths);
          await stop('removed');
        },
      },
    };
    const writer = await createLog(store, identity, { publishEvery: 30, segment: 40_000 });
    const large = (i: number) => Buffer.alloc(200, i % 251);
    const begun = () => stops.filter((what) => what === 'begun').length;
    // A segment grows beyond its size while the other one goes into tiles, which takes as long as it takes.
    for (let i = 0; i < 620 || (begun() < 3 && i < 6200); i += 5) {
      await writer.appendAll(Array.from({ length: 5 }, (_, j) => large(i + j)));
      acknowledged = i + 5;
    }
    await writer.close();
    expect(begun()).toBeGreaterThanOrEqual(3);
    for (const [copy, least] of copies) {
      if ((await readdir(copy)).includes('checkpoint') === false) continue;
      const again = await openWriter(folderStore(copy), identity);
      expect(again.checkpoint.size).toBeGreaterThanOrEqual(least);
      await again.close();
      const log = await openLog(folderSource(copy), trust);
      await auditLog(log, folderSource(copy));
      let i = 0;
      for await (const bytes of log.entries()) expect(Buffer.from(bytes).equals(large(i++))).toBe(true);
    }
  });

  it('loses nothing when tiles that were not flushed are gone after a power failure', async () => {
    const writer = await createLog(folderStore(folder), identity, NEVER);
    await fill(writer, 0, 600);
    await writer.refresh();
    await fill(writer, 600, 610);
    const copy = await crashed();
    await writer.close();
    await rm(join(copy, 'tile'), { recursive: true });
    expect(await recover(copy)).toEqual(expected(610));
  });

  it('abuse 30: killed at random moments under load, holds every acknowledged entry and verifies', async () => {
    const { acknowledged, entries } = await killRounds(folder, 5, (round) => [0, 3, 17, 60, 110][round]!);
    expect(acknowledged).toBeGreaterThan(20);
    expect(entries).toBeGreaterThanOrEqual(acknowledged);
  });
});

describe('a journal that was left behind', () => {
  const leave = async () => {
    const writer = await createLog(folderStore(folder), identity, NEVER);
    await fill(writer, 0, 4);
    await writer.refresh();
    for (const [from, to] of [
      [4, 9],
      [9, 10],
      [10, 30],
      [30, 33],
    ] as const)
      await fill(writer, from, to);
    const copy = await crashed();
    await writer.close();
    const path = join(copy, JOURNAL_PATHS[0]);
    await writeFile(path, withoutRoom(await readFile(path)));
    return { copy, path };
  };

  it('may be torn anywhere in its last record, and nowhere else', async () => {
    const { copy, path } = await leave();
    const bytes = await readFile(path);
    const { records } = readSegment(bytes, signer, 'x');
    const sizes = records.map(({ payload }) => 64 + payload.length + 64);
    const lastStart = sizes.slice(0, -1).reduce((sum, size) => sum + size, 0);
    for (const cut of [lastStart, lastStart + 1, lastStart + 70, bytes.length - 1]) {
      await writeFile(path, bytes.subarray(0, cut));
      const again = join(home, `cut-${cut}`);
      await cp(copy, again, { recursive: true });
      expect(await recover(again)).toEqual(expected(30));
    }
    for (let at = 0; at < bytes.length; at += 13) {
      const changed = Buffer.from(bytes);
      changed[at] = changed[at]! ^ 0x40;
      const read = () => readSegment(changed, signer, 'x');
      if (at < lastStart) expect(read, `byte ${at}`).toThrow('was changed');
      else expect(read().records).toHaveLength(records.length - 1);
    }
  });

  it('is not believed when records are dropped, repeated, moved or made by somebody else', async () => {
    const { path } = await leave();
    const bytes = await readFile(path);
    const { records } = readSegment(bytes, signer, 'x');
    let at = 0;
    const parts = records.map(({ payload }) => {
      const from = at;
      at += 64 + payload.length + 64;
      return bytes.subarray(from, at);
    });
    const read = (...order: number[]) =>
      readSegment(Buffer.concat(order.map((i) => parts[i]!)), signer, 'x').records.length;
    expect(read(0, 1, 2, 3, 4)).toBe(5);
    for (const order of [
      [0, 1, 3, 4],
      [0, 1, 1, 2],
      [0, 2, 1, 3],
      [1, 2, 3],
      [0, 1, 0, 1],
    ])
      expect(() => read(...order)).toThrow('was changed');
    const last = records.at(-1)!;
    const forged = formatRecord(
      fixedSigner(ORIGIN, 9),
      { kind: 'batch', count: 1, start: 33, at: 0, previous: last.id },
      [framed(entry(33))],
    );
    expect(readSegment(Buffer.concat([bytes, forged.bytes]), signer, 'x')).toMatchObject({
      torn: forged.bytes.length,
    });
  });

  it('does not go with an old checkpoint, another log, or tiles of another history', async () => {
    const { copy } = await leave();
    const writer = await openWriter(folderStore(copy), identity, { ...NEVER, segment: 20_000 });
    const old = await readFile(join(copy, 'checkpoint'));
    await fill(writer, 33, 40);
    // A turn of segments, so that the journal begins behind the old checkpoint.
    for (let i = 0; i < 3; i++) await writer.append(Buffer.alloc(30_000));
    await writer.refresh();
    while ((await readdir(join(copy, '.journal'))).length > 1) await new Promise((r) => setTimeout(r, 5));
    folder = copy;
    const later = await crashed('later');
    await writer.close();
    await writeFile(join(later, 'checkpoint'), old);
    const opened = openWriter(folderStore(later), identity);
    expect(await code(opened)).toBe('ledger/untrusted');
    const other = { ...identity, origin: 'example.com/other' };
    const elsewhere = folderStore(join(home, 'other'));
    const another = await createLog(elsewhere, { ...other, signers: [fixedSigner(other.origin)] }, NEVER);
    await fill(another, 0, 2);
    await cp(join(copy, 'tile'), join(later, 'tile'), { recursive: true });
    await cp(join(home, 'other', '.journal'), join(later, '.journal'), { recursive: true });
    await another.close();
    expect(await code(openWriter(folderStore(later), identity))).not.toBe('nothing was thrown');
  });

  it('that ends before the checkpoint is made whole from the tiles, or refused', async () => {
    const writer = await createLog(folderStore(folder), identity, NEVER);
    await fill(writer, 0, 300);
    const early = await readFile(join(folder, JOURNAL_PATHS[0]));
    await fill(writer, 300, 580);
    await writer.refresh();
    const copy = await crashed();
    await writer.close();
    await writeFile(join(copy, JOURNAL_PATHS[0]), early);
    await rm(join(copy, 'tile/0'), { recursive: true });
    const again = join(home, 'again');
    await cp(copy, again, { recursive: true });
    expect(await recover(copy)).toEqual(expected(580));
    const bundle = join(again, 'tile/entries/001');
    const bytes = await readFile(bundle);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(bundle, bytes);
    expect(await code(openWriter(folderStore(again), identity))).toBe('ledger/untrusted');
  });

  it('is read without an error of any other kind, whatever is in it', async () => {
    const { path } = await leave();
    const bytes = await readFile(path);
    const read = (given: Uint8Array) => {
      try {
        for (const record of readSegment(given, signer, 'x').records) entriesOf(record);
      } catch (thrown) {
        expect((thrown as { code: string }).code).toMatch(/^ledger\//);
      }
    };
    const edit = fc.tuple(fc.nat(bytes.length - 1), fc.uint8Array({ maxLength: 12 }), fc.nat(40));
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 4 }), fc.nat(bytes.length), (edits, end) => {
        let changed = bytes.subarray(0, end);
        for (const [at, put, drop] of edits)
          changed = Buffer.concat([changed.subarray(0, at), put, changed.subarray(at + drop)]);
        read(changed);
      }),
      { numRuns: 150 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), read));
    read(Buffer.concat([bytes, ...Array.from({ length: 6000 }, () => Buffer.from('GLJbatc1'))]));
  });

  it('gives its entries only when the payload is exactly those', () => {
    const record = (payload: Buffer, count: number) => {
      const { bytes } = formatRecord(
        signer,
        { kind: 'segment', count, start: 0, at: 0, previous: NO_RECORD },
        [payload],
      );
      return readSegment(bytes, signer, 'x').records[0]!;
    };
    const two = Buffer.concat([framed(entry(0)), framed(entry(1))]);
    expect(entriesOf(record(two, 2)).map(String)).toHaveLength(2);
    expect(() => entriesOf(record(two, 1))).toThrow('expected 1 entries');
    expect(() => entriesOf(record(two.subarray(0, -1), 2))).toThrow('nothing else');
  });
});

describe('abuse 26: a disk that fails', () => {
  const RUN = 128;
  const large = (i: number) => Buffer.alloc(300, i % 250);
  const failing = (what: 'append' | 'begin' | 'place' | 'flush' | 'write', on: () => boolean): LogStore => {
    const plain = folderStore(folder);
    const journal = plain.journal as JournalStore;
    const fail = (name: typeof what) => {
      if (name === what && on())
        throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    };
    return {
      ...plain,
      async write(files) {
        fail('write');
        await plain.write(files);
      },
      journal: {
        ...journal,
        async open(path) {
          fail('begin');
          const file = await journal.open(path);
          return {
            ...file,
            async append(more) {
              // The worst that can happen: some of it is there, and the flush says no.
              if (what === 'append' && on()) await file.append(more.subarray(0, more.length >> 1));
              fail('append');
              await file.append(more);
            },
          };
        },
        async place(files) {
          fail('place');
          await journal.place(files);
        },
        async flush(paths) {
          fail('flush');
          await journal.flush(paths);
        },
      },
    };
  };

  for (const what of ['append', 'place', 'write', 'flush', 'begin'] as const)
    it(`at ${what}: nothing more is acknowledged, and nothing acknowledged is lost`, async () => {
      let full = false;
      const writer = await createLog(
        failing(what, () => full),
        identity,
        { publishEvery: 10, segment: 100_000 },
      );
      let acknowledged = 0;
      const add = async (n: number) => {
        for (let i = 0; i < n; i++) {
          await writer.appendAll(Array.from({ length: RUN }, (_, j) => large(acknowledged + j)));
          acknowledged += RUN;
        }
      };
      await add(2);
      full = true;
      expect(await code(add(40))).toBe('output/unwritable');
      full = false;
      expect(writer.broken?.code).toBe('output/unwritable');
      expect(await code(writer.append(entry(0)))).toBe('output/unwritable');
      expect(await code(writer.refresh())).toBe('output/unwritable');
      await writer.close();
      const again = await openWriter(folderStore(folder), identity);
      expect(again.checkpoint.size).toBeGreaterThanOrEqual(acknowledged);
      // An entry whose writing failed may be there; what it holds is what was given.
      expect(again.checkpoint.size).toBeLessThanOrEqual(acknowledged + RUN);
      await again.close();
      const log = await openLog(folderSource(folder), trust);
      let i = 0;
      for await (const bytes of log.entries()) expect(bytes[0]).toBe(i++ % 250);
    });
});
