import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { auditLog } from './audit.ts';
import { openCheckpoint } from './checkpoint.ts';
import { framed, MOST_ENTRY_BYTES, readBundle } from './entry-bundle.ts';
import { lockFile } from './folder-lock.ts';
import { openLog } from './log-reader.ts';
import { folderSource, type LogSource } from './log-source.ts';
import { folderStore, type LogStore } from './log-store.ts';
import { createLog, type LogWriter, openWriter } from './log-writer.ts';
import { fixedSigner, quantumSafeSigner } from './note-keys.fixture.ts';
import { parseProof, verifyProof } from './proof-file.ts';
import { tilePath } from './tile.ts';

const ORIGIN = 'example.com/log';
/** A program that appends to the log in a folder and prints `INDEX ENTRY` for each acknowledged entry, until it is killed. */
const APPEND_FOR_EVER = `
import { folderStore } from ${JSON.stringify(new URL('./log-store.ts', import.meta.url).href)};
import { openWriter } from ${JSON.stringify(new URL('./log-writer.ts', import.meta.url).href)};
import { fixedSigner } from ${JSON.stringify(new URL('./note-keys.fixture.ts', import.meta.url).href)};
const [folder, name] = process.argv.slice(1);
const identity = { origin: '${ORIGIN}', signers: [fixedSigner('${ORIGIN}')], now: () => new Date() };
const writer = await openWriter(folderStore(folder), identity);
for (let round = 0; ; round++)
  await Promise.all(
    Array.from({ length: 1 + (round % 7) }, async (_, i) => {
      const entry = name + ' ' + round + ' ' + i;
      console.log((await writer.append(Buffer.from(entry))) + ' ' + entry);
    }),
  );
`;
const signer = fixedSigner(ORIGIN);
const identity = { origin: ORIGIN, signers: [signer], now: () => new Date(1_700_000_000_000) };
const trust = { origin: ORIGIN, keys: [signer] };
const entry = (i: number) => Buffer.from(`entry ${i}`);

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-log-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const code = (work: Promise<unknown>) =>
  work.then(
    () => 'nothing was thrown',
    (thrown: { code?: string }) => thrown.code ?? String(thrown),
  );
async function fill(writer: LogWriter, from: number, to: number): Promise<void> {
  await Promise.all(Array.from({ length: to - from }, (_, i) => writer.append(entry(from + i))));
}
async function collect(source: LogSource, start = 0): Promise<string[]> {
  const log = await openLog(source, trust);
  const all: string[] = [];
  for await (const bytes of log.entries(start)) all.push(Buffer.from(bytes).toString());
  return all;
}
const expected = (n: number) => Array.from({ length: n }, (_, i) => `entry ${i}`);

describe('tiles', () => {
  it('have the paths of the specification', () => {
    expect(tilePath({ level: 0, index: 1234067, width: 256 })).toBe('tile/0/x001/x234/067');
    expect(tilePath({ level: 1, index: 0, width: 17 })).toBe('tile/1/000.p/17');
    expect(tilePath({ level: 'entries', index: 273, width: 112 })).toBe('tile/entries/273.p/112');
  });

  it('of 70,000 entries are those that the specification lists', async () => {
    await using writer = await createLog(folderStore(folder), identity, { batch: 70_000, waiting: 1 << 30 });
    const empty = new Uint8Array();
    await Promise.all(Array.from({ length: 70_000 }, () => writer.append(empty)));
    expect((await readdir(join(folder, 'tile/0'))).length).toBe(274);
    expect(await readdir(join(folder, 'tile/0/273.p'))).toEqual(['112']);
    expect((await readdir(join(folder, 'tile/1'))).sort()).toEqual(['000', '001.p']);
    expect(await readdir(join(folder, 'tile/1/001.p'))).toEqual(['17']);
    expect(await readdir(join(folder, 'tile/2/000.p'))).toEqual(['1']);
    const log = await openLog(folderSource(folder), trust);
    const proof = await log.prove(69_999);
    expect(verifyProof(proof, empty, trust).index).toBe(69_999);
  });
});

describe('a log', () => {
  it('gives back what was appended, in order, over several runs and tile borders', async () => {
    const store = folderStore(folder);
    await using first = await createLog(store, identity);
    await fill(first, 0, 3);
    await first.close();
    for (const [from, to] of [
      [3, 255],
      [255, 256],
      [256, 257],
      [257, 600],
    ] as const) {
      await using writer = await openWriter(store, identity);
      await fill(writer, from, to);
      await writer.close();
      expect(await collect(store)).toEqual(expected(to));
    }
    expect(await collect(store, 598)).toEqual(['entry 598', 'entry 599']);
    const log = await openLog(store, trust);
    expect(Buffer.from(await log.entry(256)).toString()).toBe('entry 256');
    expect(await code(log.entry(600))).toBe('option/invalid');
    expect(await auditLog(log, store)).toMatchObject({ entries: 600 });
  });

  it('shares one flush among entries that come together', async () => {
    let writes = 0;
    const plain = folderStore(folder);
    const store: LogStore = {
      ...plain,
      write(files) {
        writes++;
        return plain.write(files);
      },
    };
    await using writer = await createLog(store, identity);
    const before = writes;
    await fill(writer, 0, 200);
    expect(writes - before).toBeLessThanOrEqual(4);
  });

  it('removes partial tiles when the full one is there, and still serves readers of an old checkpoint', async () => {
    const store = folderStore(folder);
    await using writer = await createLog(store, identity);
    await fill(writer, 0, 200);
    const old = await openLog(store, trust);
    await fill(writer, 200, 300);
    await writer.close();
    expect(await readdir(join(folder, 'tile/0'))).not.toContain('000.p');
    expect(Buffer.from(await old.entry(7)).toString()).toBe('entry 7');
    expect(verifyProof(await old.prove(7), entry(7), trust).checkpoint.size).toBe(200);
  });

  it('takes entries of 65,535 bytes and no more, and copies what it is given', async () => {
    await using writer = await createLog(folderStore(folder), identity);
    const buffer = Buffer.alloc(MOST_ENTRY_BYTES, 1);
    const done = writer.append(buffer);
    buffer.fill(2);
    await done;
    expect(await code(writer.append(Buffer.alloc(MOST_ENTRY_BYTES + 1)))).toBe('option/invalid');
    expect((await (await openLog(folderSource(folder), trust)).entry(0))[0]).toBe(1);
  });

  it('makes callers wait when too much waits, and loses nothing', async () => {
    await using writer = await createLog(folderStore(folder), identity, { waiting: 10, batch: 2 });
    await fill(writer, 0, 20);
    expect(writer.checkpoint.size).toBe(20);
    expect(new Set(await collect(folderSource(folder)))).toEqual(new Set(expected(20)));
  });

  it('is signed again by refresh, with the time as it is now', async () => {
    const safe = quantumSafeSigner(ORIGIN);
    let now = new Date(1000);
    await using writer = await createLog(folderStore(folder), {
      origin: ORIGIN,
      signers: [signer, safe],
      now: () => now,
    });
    await writer.append(entry(0));
    now = new Date(9_000_000);
    await Promise.all([writer.refresh(), writer.append(entry(1)), writer.refresh()]);
    const log = await openLog(folderSource(folder), { origin: ORIGIN, keys: [signer, safe] });
    expect(log.checkpoint).toMatchObject({ size: 2, at: 9000 });
  });

  it('is not started twice, and not opened where there is none', async () => {
    const store = folderStore(folder);
    expect(await code(openWriter(store, identity))).toBe('ledger/unreadable');
    await (await createLog(store, identity)).close();
    expect(await code(createLog(store, identity))).toBe('ledger/exists');
    expect(await code(openLog(folderSource(join(folder, 'x')), trust))).toBe('ledger/unreadable');
    expect(await code(openWriter(store, { ...identity, origin: 'other' }))).toBe('ledger/untrusted');
  });

  it('accepts nothing more after a failed write, and goes on from what was acknowledged', async () => {
    let full = false;
    let writes = 0;
    const plain = folderStore(folder);
    const store: LogStore = {
      ...plain,
      write: (files) => (full ? Promise.reject(new Error('no space left')) : plain.write(files)),
    };
    const writer = await createLog(store, identity);
    await writer.append(entry(0));
    full = true;
    expect(await code(writer.append(entry(9)))).toBe('output/unwritable');
    full = false;
    expect(await code(writer.append(entry(9)))).toBe('output/unwritable');
    // What waited behind the failed write must not be written either: the disk may hold a part of it.
    await using other = await createLog(
      {
        ...plain,
        read: async () => undefined,
        lock: async () => () => {},
        write: () => Promise.resolve(writes++ === 1 ? Promise.reject(new Error('no space left')) : undefined),
      },
      identity,
      { batch: 1 },
    );
    const both = await Promise.allSettled([other.append(entry(1)), other.append(entry(2))]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await writer.close();
    await using again = await openWriter(plain, identity);
    expect(await again.append(entry(1))).toBe(1);
    expect(await collect(plain)).toEqual(expected(2));
  });
});

describe('a reader', () => {
  const build = async (n: number) => {
    const writer = await createLog(folderStore(folder), identity);
    await fill(writer, 0, n);
    await writer.close();
    return openLog(folderSource(folder), trust);
  };
  const change = async (path: string, at: number) => {
    const bytes = await readFile(join(folder, path));
    bytes[at] = bytes[at]! ^ 1;
    await writeFile(join(folder, path), bytes);
  };

  it('notices a changed entry', async () => {
    await build(300);
    await change('tile/entries/000', 5);
    expect(await code(collect(folderSource(folder)))).toBe('ledger/untrusted');
  });

  it('notices a changed entry in the last bundle, and so does a writer', async () => {
    await build(300);
    await change('tile/entries/001.p/44', 5);
    expect(await code(collect(folderSource(folder)))).toBe('ledger/untrusted');
    expect(await code(openWriter(folderStore(folder), identity))).toBe('ledger/untrusted');
  });

  it('notices a changed tile when it proves, when it extends, and in an audit', async () => {
    const log = await build(300);
    const old = { size: 100, root: log.checkpoint.root };
    await change('tile/0/000', 64);
    expect(await code((await openLog(folderSource(folder), trust)).prove(0))).toBe('ledger/untrusted');
    expect(await code(log.extend(old))).toBe('ledger/forked');
    expect(await code(auditLog(log, folderSource(folder)))).toBe('ledger/untrusted');
  });

  it('notices a missing or oversized file', async () => {
    await build(10);
    await writeFile(join(folder, 'tile/entries/000.p/10'), Buffer.alloc(20_000_000));
    expect(await code(collect(folderSource(folder)))).toBe('ledger/unreadable');
    await rm(join(folder, 'tile/entries/000.p/10'));
    expect(await code(collect(folderSource(folder)))).toBe('ledger/unreadable');
  });

  it('notices that a log goes back, or became another one', async () => {
    const log = await build(10);
    await log.extend({ size: 0, root: new Uint8Array(32) }).catch(() => {});
    const writer = await openWriter(folderStore(folder), identity);
    await fill(writer, 10, 700);
    await writer.close();
    const later = await openLog(folderSource(folder), trust);
    await later.extend(log.checkpoint);
    expect(await code(log.extend(later.checkpoint))).toBe('ledger/forked');
    expect(await code(later.extend({ size: 10, root: Buffer.alloc(32) }))).toBe('ledger/forked');
  });

  it('proves each entry with a file that verifies alone, and for no other entry or log', async () => {
    const log = await build(260);
    for (const i of [0, 255, 256, 259]) {
      const proof = await log.prove(i);
      expect(verifyProof(proof, entry(i), trust).index).toBe(i);
      expect(() => verifyProof(proof, entry(i + 1), trust)).toThrow('leads from this entry');
      expect(() => verifyProof(proof.replace(/index \d+/, `index ${i + 1}`), entry(i), trust)).toThrow();
      expect(() => verifyProof(proof, entry(i), { ...trust, origin: 'other' })).toThrow("the log 'other'");
    }
  });

  it('does not follow links', async () => {
    await build(3);
    const { symlink, rename } = await import('node:fs/promises');
    await rename(join(folder, 'checkpoint'), join(folder, 'elsewhere'));
    await symlink('elsewhere', join(folder, 'checkpoint'));
    expect(await code(openLog(folderSource(folder), trust))).toBe('ledger/unreadable');
  });
});

describe('readers of bytes', () => {
  it('of bundles give what was framed, and refuse everything else', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 8 }), (entries) => {
        const bytes = Buffer.concat(entries.map(framed));
        expect(readBundle(bytes, entries.length, 'x').map((e) => [...e])).toEqual(entries.map((e) => [...e]));
        expect(() => readBundle(bytes, entries.length + 1, 'x')).toThrow('nothing else');
        expect(() => readBundle(bytes.subarray(0, -1), entries.length, 'x')).toThrow('nothing else');
        expect(() => readBundle(Buffer.concat([bytes, Buffer.alloc(1)]), entries.length, 'x')).toThrow();
      }),
    );
  });

  it('of proofs throw their own errors only', () => {
    const part = fc.constantFrom(
      'c2sp.org/tlog-proof@v1\n',
      'index 1\n',
      'extra AA==\n',
      '\n',
      `${'A'.repeat(43)}=\n`,
      '— ',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(part, fc.string()), { maxLength: 10 }), (parts) => {
        try {
          parseProof(parts.join(''));
        } catch (thrown) {
          expect((thrown as { code: string }).code).toBe('ledger/unreadable');
        }
      }),
    );
  });

  it('of proofs keep extra data', () => {
    const text = `c2sp.org/tlog-proof@v1\nextra AQID\nindex 0\n\nx`;
    expect([...(parseProof(text).extra ?? [])]).toEqual([1, 2, 3]);
    expect(() => parseProof(text.replace('index 0', 'index 00'))).toThrow('index NUMBER');
    expect(() => parseProof(text.replace('index 0', `index 0${'\nAA=='.repeat(2)}`))).toThrow('32 bytes');
  });
});

describe('two writers', () => {
  it('of one process wait for each other, and give up in the end', async () => {
    const store = folderStore(folder);
    const writer = await createLog(store, identity);
    expect(await code(openWriter(store, identity, { patience: 50 }))).toBe('ledger/locked');
    const waiting = openWriter(store, identity);
    await writer.append(entry(0));
    await writer.close();
    const next = await waiting;
    expect(await next.append(entry(1))).toBe(1);
    await next.close();
  });

  it('stop waiting when they are cancelled', async () => {
    const unlock = await lockFile(join(folder, 'l'));
    const signal = AbortSignal.timeout(20);
    expect(await code(lockFile(join(folder, 'l'), { signal }))).toBe('run/cancelled');
    unlock();
  });

  it('lose nothing that was acknowledged when one is killed at any moment', async () => {
    await (await createLog(folderStore(folder), identity)).close();
    const acknowledged: string[] = [];
    for (const delay of [0, 5, 11, 23]) {
      const child = spawn(
        process.execPath,
        ['--input-type=module', '-e', APPEND_FOR_EVER, folder, `run ${delay}`],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      let text = '';
      let armed = false;
      child.stdout.on('data', (chunk: Buffer) => {
        text += chunk;
        if (!armed) setTimeout(() => child.kill('SIGKILL'), delay);
        armed = true;
      });
      await once(child, 'close');
      // The last line may have been cut off.
      acknowledged.push(...text.split('\n').slice(0, -1));
    }
    expect(acknowledged.length).toBeGreaterThan(4);
    const logged = await collect(folderSource(folder));
    for (const line of acknowledged) {
      const [index, ...name] = line.split(' ');
      expect(logged[Number(index)]).toBe(name.join(' '));
    }
    await using writer = await openWriter(folderStore(folder), identity);
    await writer.append(entry(0));
    expect(await readdir(join(folder, '.staging'))).toEqual([]);
    await auditLog(await openLog(folderSource(folder), trust), folderSource(folder));
    expect(openCheckpoint(writer.checkpoint.note, trust).size).toBe(logged.length + 1);
  });
});
