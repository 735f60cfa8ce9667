import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { framed, readBundle } from './entry-bundle.ts';
import { type Examination, examineLog } from './examine.ts';
import { openLog } from './log-reader.ts';
import { folderSource, type LogSource } from './log-source.ts';
import { folderStore } from './log-store.ts';
import { createLog, openWriter } from './log-writer.ts';
import { fixedSigner } from './note-keys.fixture.ts';
import { EMPTY_EDGE, extend, partialTiles } from './tree-edge.ts';

const ORIGIN = 'example.com/tampered';
const signer = fixedSigner(ORIGIN);
const identity = { origin: ORIGIN, signers: [signer], now: () => new Date(1_700_000_000_000) };
const trust = { origin: ORIGIN, keys: [signer] };
const SIZE = 600;
/** 37 is prime: numbers that differ in one digit differ in the length of their entries, so that no changed byte makes one entry another. */
const entry = (i: number) => Buffer.from(`{"entry":${i},"of":"${'x'.repeat(i % 37)}"}`);

let home = '';
let whole = '';
let folder = '';
let count = 0;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'glacis-examine-'));
  whole = join(home, 'whole');
  const writer = await createLog(folderStore(whole), identity);
  await writer.appendAll(Array.from({ length: SIZE }, (_, i) => entry(i)));
  await writer.close();
});
beforeEach(async () => {
  folder = join(home, `copy-${count++}`);
  await cp(whole, folder, { recursive: true });
});
afterAll(() => rm(home, { recursive: true, force: true }));

async function examine(
  options: Parameters<typeof examineLog>[2] = {},
  source: LogSource = folderSource(folder),
): Promise<Examination> {
  return examineLog(source, (await openLog(source, trust)).checkpoint, options);
}
const named = ({ findings }: Examination) => findings.map(({ where }) => where);
const change = async (path: string, how: (bytes: Buffer) => Uint8Array) =>
  writeFile(join(folder, path), how(await readFile(join(folder, path))));
const rebundle = (path: string, width: number, how: (entries: Uint8Array[]) => Uint8Array[]) =>
  change(path, (bytes) => Buffer.concat(how([...readBundle(bytes, width, path)]).map(framed)));
const LAST = 'tile/entries/002.p/88';

describe('abuse 25: a log that somebody changed', () => {
  it('is found whole when nobody did, in a folder, elsewhere, and over threads', async () => {
    for (const source of [folderSource(folder), { read: folderSource(folder).read }])
      expect(await examine({ threads: 2 }, source)).toMatchObject({ entries: SIZE, findings: [] });
  });

  it('is named by the entry when one is changed', async () => {
    await change('tile/entries/001', (bytes) => {
      bytes[bytes.length - 4]! ^= 1;
      return bytes;
    });
    await rebundle(LAST, 88, (entries) => entries.map((e, i) => (i === 5 ? Buffer.from('{}') : e)));
    const found = await examine();
    expect(named(found)).toEqual(['entry 511', 'entry 517']);
    expect(found.findings[0]!.what).toMatch(/was changed \(tile\/entries\/001, bytes \d+ to \d+\)/);
  });

  it('is named by the entry when one is dropped, repeated, put in, or moved', async () => {
    await rebundle('tile/entries/000', 256, (entries) => entries.toSpliced(7, 1));
    expect((await examine()).findings).toEqual([expect.objectContaining({ where: 'entry 7', entry: 7 })]);
    await rebundle('tile/entries/000', 255, (entries) => entries.toSpliced(7, 0, entry(7)));
    expect(named(await examine())).toEqual([]);
    await rebundle(LAST, 88, (entries) => entries.toSpliced(9, 0, entries[3]!).slice(0, 88));
    expect((await examine()).findings).toEqual([
      expect.objectContaining({ where: 'entry 515', what: expect.stringContaining('more often') }),
      expect.objectContaining({ where: 'entry 599', what: expect.stringContaining('not there') }),
    ]);
    await cp(join(whole, LAST), join(folder, LAST));
    await rebundle('tile/entries/001', 256, (entries) => {
      [entries[10], entries[20]] = [entries[20]!, entries[10]!];
      return entries;
    });
    expect(await examine()).toMatchObject({
      findings: [
        { where: 'entry 266', what: expect.stringContaining('moved') },
        { where: 'entry 276', what: expect.stringContaining('moved') },
      ],
    });
  });

  it('is named by the bundle when the tile was changed along with it', async () => {
    const entries = Array.from({ length: SIZE }, (_, i) => (i === 300 ? Buffer.from('{}') : entry(i)));
    const { full } = extend(EMPTY_EDGE, entries.map(framed));
    for (const { path, bytes } of full)
      if (path === 'tile/0/001' || path === 'tile/entries/001') await writeFile(join(folder, path), bytes);
    const found = await examine();
    expect(named(found)).toEqual(['entries 256 to 511', 'tile/0/001']);
  });

  it('is named by what was seen before when everything was written anew', async () => {
    const entries = Array.from({ length: SIZE }, (_, i) => (i === 300 ? Buffer.from('{}') : entry(i)));
    const { full, edge } = extend(EMPTY_EDGE, entries.map(framed));
    for (const { path, bytes } of [...full, ...partialTiles(edge, 0)])
      await writeFile(join(folder, path), bytes);
    const earlier = [];
    const small = join(home, 'small');
    const writer = await createLog(folderStore(small), identity);
    for (const [from, to] of [
      [0, 200],
      [200, 400],
    ] as const) {
      await writer.appendAll(Array.from({ length: to - from }, (_, i) => entry(from + i)));
      earlier.push(writer.checkpoint);
    }
    await writer.close();
    const found = await examine({ earlier });
    expect(named(found)).toEqual(['log', 'entries 200 to 599', 'entries 0 to 399']);
  });

  it('is not said to have another history because one of its files is damaged', async () => {
    const small = join(home, 'earlier');
    const writer = await createLog(folderStore(small), identity);
    const earlier = [];
    for (const [from, to] of [
      [0, 300],
      [300, 550],
    ] as const) {
      await writer.appendAll(Array.from({ length: to - from }, (_, i) => entry(from + i)));
      earlier.push(writer.checkpoint);
    }
    await writer.close();
    expect(named(await examine({ earlier }))).toEqual([]);
    await rebundle('tile/entries/001', 256, (entries) => entries.with(3, Buffer.from('{}')));
    await rebundle(LAST, 88, (entries) => entries.with(3, Buffer.from('{}')));
    expect(named(await examine({ earlier }))).toEqual(['entry 259', 'entry 515']);
  });

  it('is named when it was rolled back, or forked and signed again', async () => {
    const seen = (await openLog(folderSource(whole), trust)).checkpoint;
    for (const [name, other] of [
      ['back', entry],
      ['fork', (i: number) => Buffer.from(`${i}`)],
    ] as const) {
      folder = join(home, name);
      const writer = await createLog(folderStore(folder), identity);
      const length = name === 'back' ? 300 : SIZE + 5;
      await writer.appendAll(Array.from({ length }, (_, i) => other(i)));
      await writer.close();
      const { findings } = await examine({ earlier: [seen] });
      expect(findings).toHaveLength(1);
      expect(findings[0]!.what).toContain(name === 'back' ? 'an old state was put back' : 'another history');
    }
    folder = whole;
    const writer = await openWriter(folderStore(join(home, 'back')), identity);
    await writer.appendAll(Array.from({ length: 700 }, (_, i) => entry(300 + i)));
    await writer.close();
    folder = join(home, 'back');
    expect(await examine({ earlier: [seen] })).toMatchObject({ findings: [] });
  });

  it('names the file, or the entry, whatever byte of whatever file is changed', async () => {
    const files = (await readdir(join(whole, 'tile'), { recursive: true, withFileTypes: true }))
      .filter((found) => found.isFile())
      .map((found) => join(found.parentPath, found.name).slice(whole.length + 1));
    expect(files).toHaveLength(7);
    const pick = fc
      .constantFrom(...files)
      .chain((path) => fc.tuple(fc.constant(path), fc.nat(1e6), fc.nat(254)));
    await fc.assert(
      fc.asyncProperty(pick, async ([path, where, mask]) => {
        const bytes = await readFile(join(whole, path));
        const at = where % bytes.length;
        const changed = Buffer.from(bytes);
        changed[at]! ^= mask + 1;
        await writeFile(join(folder, path), changed);
        const { findings } = await examine();
        await writeFile(join(folder, path), bytes);
        const bundle = /^tile\/entries\/(\d+)/.exec(path);
        if (bundle === null) expect(findings.map(({ where: w }) => w)).toEqual([path]);
        else {
          const first = Number(bundle[1]) * 256;
          let [index, end] = [-1, 0];
          while (end <= at) {
            index++;
            end += 2 + bytes.readUInt16BE(end);
          }
          expect(findings.map(({ entry: e }) => e)).toContain(first + index);
          expect(Math.min(...findings.map(({ entry: e }) => e!))).toBe(first + index);
        }
      }),
      { numRuns: 120 },
    );
  });

  it('names every entry that is dropped, repeated, swapped, replaced or cut off, wherever it is', async () => {
    const place = fc.tuple(
      fc.nat(255),
      fc.nat(255),
      fc.constantFrom('drop', 'repeat', 'swap', 'replace', 'cut'),
    );
    await fc.assert(
      fc.asyncProperty(place, fc.constantFrom(0, 1, 2), async ([a, b, how], bundle) => {
        const width = bundle === 2 ? 88 : 256;
        const [i, j] = [a % width, b % width];
        const path = bundle === 2 ? LAST : `tile/entries/00${bundle}`;
        const bytes = await readFile(join(whole, path));
        const entries = [...readBundle(bytes, width, path)];
        const dealt = {
          drop: () => entries.toSpliced(i, 1),
          repeat: () => entries.toSpliced(j, 0, entries[i]!),
          swap: () => entries.with(i, entries[j]!).with(j, entries[i]!),
          replace: () => entries.with(i, Buffer.from('{"forged":1}')),
          cut: () => entries.slice(0, i),
        }[how]();
        await writeFile(join(folder, path), Buffer.concat(dealt.map(framed)));
        const found = new Set((await examine()).findings.map(({ entry: e }) => e! - bundle * 256));
        await writeFile(join(folder, path), bytes);
        const expected = {
          drop: [i],
          repeat: [i],
          swap: i === j ? [] : [i, j].sort((x, y) => x - y),
          replace: [i],
          cut: Array.from({ length: width - i }, (_, n) => i + n),
        }[how];
        expect([...found]).toEqual(expected);
      }),
      { numRuns: 150 },
    );
  });

  it('says something, and never fails, whatever is done to several files at once', async () => {
    const files = [
      'tile/entries/000',
      'tile/entries/001',
      LAST,
      'tile/0/000',
      'tile/0/001',
      'tile/0/002.p/88',
      'tile/1/000.p/2',
    ];
    const bytes = new Map<string, Buffer>();
    for (const path of files) bytes.set(path, await readFile(join(whole, path)));
    const deed = fc.tuple(
      fc.constantFrom(...files),
      fc.constantFrom('flip', 'cut', 'drop', 'swap', 'grow'),
      fc.nat(1e6),
      fc.constantFrom(...files),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { minLength: 1, maxLength: 5 }), async (deeds) => {
        const now = new Map(bytes);
        for (const [path, how, at, other] of deeds) {
          const old = now.get(path);
          if (old === undefined) continue;
          if (how === 'drop') now.delete(path);
          if (how === 'cut') now.set(path, old.subarray(0, at % Math.max(1, old.length)));
          if (how === 'grow') now.set(path, Buffer.concat([old, Buffer.alloc(1 + (at % 99), at)]));
          if (how === 'swap') now.set(path, bytes.get(other)!);
          if (how === 'flip' && old.length > 0) {
            const changed = Buffer.from(old);
            changed[at % old.length]! ^= 1 + (at % 255);
            now.set(path, changed);
          }
        }
        for (const path of files) {
          const put = now.get(path);
          if (put === undefined) await rm(join(folder, path), { force: true });
          else await writeFile(join(folder, path), put);
        }
        const isSame = files.every((path) => now.get(path)?.equals(bytes.get(path)!));
        expect((await examine()).findings.length > 0).toBe(!isSame);
      }),
      { numRuns: 80 },
    );
  });

  it('names the file or its entries when a file is cut, emptied, removed or replaced by another', async () => {
    for (const path of ['tile/entries/000', LAST, 'tile/0/001', 'tile/0/002.p/88', 'tile/1/000.p/2']) {
      const bytes = await readFile(join(whole, path));
      for (const put of [
        bytes.subarray(0, bytes.length - 1),
        bytes.subarray(0, 40),
        Buffer.alloc(0),
        undefined,
      ]) {
        if (put === undefined) await rm(join(folder, path));
        else await writeFile(join(folder, path), put);
        const { findings } = await examine();
        expect(findings.length, path).toBeGreaterThan(0);
        if (!path.includes('entries')) expect(findings.map(({ where }) => where)).toEqual([path]);
        else {
          const first = path === LAST ? 512 : 0;
          expect(findings.every(({ entry: e }) => e! >= first && e! < first + 256)).toBe(true);
        }
      }
      await writeFile(join(folder, path), bytes);
    }
    expect((await examine()).findings).toEqual([]);
  });

  it('does not follow links, and takes what is no plain file for missing', async () => {
    const { symlink } = await import('node:fs/promises');
    await rm(join(folder, 'tile/0/001'));
    await symlink(join(whole, 'tile/0/001'), join(folder, 'tile/0/001'));
    expect(named(await examine())).toEqual(['tile/0/001']);
    await rm(join(folder, 'tile/0'), { recursive: true });
    await symlink(join(whole, 'tile/0'), join(folder, 'tile/0'));
    expect(named(await examine())).toEqual(['tile/0/000', 'tile/0/001', 'tile/0/002.p/88']);
  });

  it('can be stopped', async () => {
    const signal = AbortSignal.abort();
    await expect(examine({ signal })).rejects.toMatchObject({ code: 'run/cancelled' });
  });
});
