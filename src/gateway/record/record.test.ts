import { createHash } from 'node:crypto';
import { cp, mkdtemp, open as openFile, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { until } from '../../../test/until.ts';
import {
  auditLog,
  folderSource,
  folderStore,
  type LogStore,
  openLog,
  verifyProof,
} from '../../ledger/index.ts';
import { newLogKey } from '../../registry/log-key.ts';
import { localKey } from '../../supply/vault/wrapping-key.ts';
import { commitment } from './commitment.ts';
import { decisionText } from './decision-text.ts';
import { readPayloadBytes } from './entry-text.ts';
import { logFolder, parseTrustFile, signersFrom, wrappingKeyName } from './log-folder.ts';
import { type OpenRecorder, openRecorder } from './open-recorder.ts';
import { openPayloads, type PayloadPlace, readPayload } from './payload-store.ts';
import { checkReceipt } from './receipt.ts';
import { decision, recordConfig } from './record.fixture.ts';
import { killedRecorder } from './record-for-ever.fixture.ts';
import { readFrame, recordFrame } from './record-frame.ts';
import { openRecordWriter } from './record-writer.ts';
import { openBytes } from './sealed-bytes.ts';
import { subjectKeys } from './subject-keys.ts';

let folder = '';
const open: OpenRecorder[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-record-'));
});
afterEach(async () => {
  for (const recorder of open.splice(0)) await recorder.close().catch(() => {});
  await rm(folder, { recursive: true, force: true });
});

const start = async (given: object = {}) => {
  const recorder = await openRecorder(recordConfig(given), { folder });
  open.push(recorder);
  return recorder;
};
const places = () => logFolder(folder);
interface Entry {
  readonly schema: string;
  readonly subject: string;
  readonly commitments?: { readonly input: string; readonly output?: string };
  readonly decision?: { readonly id: string; readonly outcome: string; readonly model: string };
  readonly who?: string | { readonly principal: string };
  readonly payload?: PayloadPlace;
  readonly event?: { readonly event: string; readonly about: object };
}
async function logged(): Promise<{ entries: Entry[]; text: string[] }> {
  const trust = parseTrustFile(await readFile(places().trustFile), 'trust');
  const source = folderSource(places().log);
  const log = await openLog(source, trust);
  await auditLog(log, source);
  const text: string[] = [];
  for await (const bytes of log.entries()) text.push(Buffer.from(bytes).toString());
  return { entries: text.map((each) => JSON.parse(each) as Entry), text };
}
const code = (work: Promise<unknown>) =>
  work.then(
    () => 'nothing was thrown',
    (thrown: { code?: string }) => thrown.code ?? String(thrown),
  );
const payload = (i: number) => ({
  input: [Buffer.from(`input ${i}`), Buffer.alloc(8, i)],
  output: [Buffer.from(`output ${i}`)],
});

describe('a recorder', () => {
  it('waits for half of the calls that are under way, but not longer than a millisecond', async () => {
    const recorder = await openRecorder(recordConfig(), { folder, underWay: { count: 8 } });
    open.push(recorder);
    const turn = () => new Promise((done) => setImmediate(done));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const lone = recorder.record(decision(0));
      await turn();
      vi.advanceTimersByTime(1);
      expect(await lone).toBe(0);
      const written: number[] = [];
      const four: Promise<unknown>[] = [];
      for (const i of [1, 2, 3, 4]) {
        expect(written).toEqual([]);
        four.push(recorder.record(decision(i)).then((index) => written.push(index)));
        await turn();
      }
      // Nobody moves the clock.
      await Promise.all(four);
      expect(written).toEqual([1, 2, 3, 4]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('gives indices in order, and the log holds what was recorded, as canonical JSON', async () => {
    const recorder = await start();
    const indices = await Promise.all(
      Array.from({ length: 300 }, (_, i) => recorder.record(decision(i), payload(i))),
    );
    expect(indices).toEqual(Array.from({ length: 300 }, (_, i) => i));
    const event = {
      kind: 'event',
      at: 5,
      event: 'model-loaded',
      by: 'glacis',
      about: { model: 'x', n: 1 },
    } as const;
    expect(await recorder.record(event)).toBe(300);
    await recorder.close();
    const { entries, text } = await logged();
    expect(entries[7]).toMatchObject({
      schema: 'glacis.decision/1',
      decision: {
        id: '7'.padStart(32, '0'),
        outcome: 'answered',
        guards: [{ guard: 'entropy', score: 0.25 }],
      },
      who: { principal: 'client-1', address: '192.0.2.7' },
      commitments: { input: expect.stringMatching(/^[0-9a-f]{64}$/), output: expect.any(String) },
    });
    expect(entries[300]).toEqual({
      event: { about: { model: 'x', n: 1 }, at: 5, by: 'glacis', event: 'model-loaded' },
      schema: 'glacis.event/1',
    });
    const sorted = (value: unknown): unknown =>
      value && typeof value === 'object' && !Array.isArray(value)
        ? Object.fromEntries(
            Object.entries(value)
              .sort(([a], [b]) => (a < b ? -1 : 1))
              .map(([k, v]) => [k, sorted(v)]),
          )
        : Array.isArray(value)
          ? value.map(sorted)
          : value;
    for (const each of [text[7]!, text[300]!]) expect(each).toBe(JSON.stringify(sorted(JSON.parse(each))));
    expect(text.join('')).not.toContain('input 7');
  });

  it('makes its keys at the first start, for its owner alone, and goes on with them', async () => {
    const first = await start();
    await first.record(decision(0));
    await first.close();
    for (const file of [places().keyFile, places().wrappingKey])
      expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(first.trust.keys.map((key) => Buffer.from(key.split('+')[2]!, 'base64')[0])).toEqual([1, 4, 6]);
    const second = await start();
    expect(second.trust).toEqual(first.trust);
    expect(await second.record(decision(1))).toBe(1);
    await second.close();
    await rm(places().keyFile);
    expect(await code(openRecorder(recordConfig(), { folder }))).toBe('key/unusable');
    const own = join(folder, 'own.pem');
    await writeFile(own, newLogKey());
    expect(await code(openRecorder(recordConfig({ keyFile: own }), { folder }))).toBe('ledger/untrusted');
  });

  it('gives a receipt that holds without the log, as soon as it is asked', async () => {
    const recorder = await start({ publishEvery: '1 hour' });
    const index = await recorder.record(decision(0), payload(0));
    const receipts = await Promise.all([recorder.receipt(index), recorder.receipt(index)]);
    const trust = parseTrustFile(Buffer.from(JSON.stringify(recorder.trust)), 'trust');
    await recorder.close();
    const { text } = await logged();
    for (const receipt of receipts)
      expect(verifyProof(receipt, Buffer.from(text[0]!), trust)).toMatchObject({ index: 0 });
    expect(() =>
      verifyProof(receipts[0]!, Buffer.from(text[0]!.replace('answered', 'refused')), trust),
    ).toThrow();
  });

  it('commits with a salt of its own: equal inputs look different, and only the key opens it', async () => {
    const recorder = await start();
    await Promise.all([1, 2].map((i) => recorder.record(decision(i, { principal: 'a' }), payload(0))));
    await recorder.close();
    const { entries } = await logged();
    const [one, two] = entries.map(({ commitments }) => commitments!.input);
    expect(one).not.toBe(two);
    const keys = subjectKeys(
      places().subjects,
      localKey(Buffer.from((await readFile(places().wrappingKey, 'utf8')).trim(), 'hex')),
    );
    const key = (await keys.find('a'))!;
    const of = (i: number, parts: readonly Uint8Array[]) =>
      commitment(key.salts, Buffer.from(decision(i).id, 'hex'), 'input', parts);
    expect(of(1, payload(0).input)).toBe(one);
    expect(of(2, payload(0).input)).toBe(two);
    expect(of(1, payload(1).input)).not.toBe(one);
    // Where one part ends and the next begins is committed to as well.
    expect(of(1, [Buffer.concat(payload(0).input)])).not.toBe(one);
    // Not the hash of what everybody could guess.
    expect(one).not.toBe(
      createHash('sha256')
        .update(Buffer.concat(payload(0).input))
        .digest('hex'),
    );
    expect(entries[0]!.subject).toBe(entries[1]!.subject);
  });

  it('says what a writer before it left behind', async () => {
    const recorder = await start({ publishEvery: '1 hour' });
    for (let i = 0; i < 5; i++) await recorder.record(decision(i));
    const copy = `${folder}-crashed`;
    await cp(folder, copy, { recursive: true });
    await rm(join(copy, 'log/.lock'));
    await recorder.close();
    await rm(folder, { recursive: true });
    await cp(copy, folder, { recursive: true });
    await rm(copy, { recursive: true });
    const again = await start();
    expect(await again.record(decision(6))).toBe(6);
    await again.close();
    const { entries } = await logged();
    expect(entries[5]!.event).toEqual({
      about: { entries: 5, torn: 0 },
      at: expect.any(Number),
      by: 'glacis',
      event: 'log-recovered',
    });
  });

  it('abuse 30: killed under load, has every decision that was acknowledged, with its payload', async () => {
    const acknowledged = new Map<number, string>();
    for (const delay of [0, 40, 90])
      for (const [index, id] of await killedRecorder(folder, delay)) {
        expect(acknowledged.has(index)).toBe(false);
        acknowledged.set(index, id);
      }
    expect(acknowledged.size).toBeGreaterThan(10);
    await (await start({ who: 'sealed', payloads: { keep: 'input' } })).close();
    const { entries } = await logged();
    for (const [index, id] of acknowledged) {
      expect(entries[index]!.decision!.id).toBe(id);
      await readPayload(places().payloads, entries[index]!.payload!);
    }
  });

  it('does not start anew where the log is gone, or older than it was', async () => {
    const recorder = await start();
    await recorder.record(decision(0));
    await recorder.close();
    const old = `${folder}-old`;
    await cp(places().log, old, { recursive: true });
    const next = await start();
    await next.record(decision(1));
    await next.close();
    await rm(places().log, { recursive: true });
    expect(await code(openRecorder(recordConfig(), { folder }))).toBe('ledger/untrusted');
    await cp(old, places().log, { recursive: true });
    expect(await code(openRecorder(recordConfig(), { folder }))).toBe('ledger/forked');
    await rm(old, { recursive: true });
  });

  it('takes whatever callers and guards come up with, and nothing grows past its bound', async () => {
    const recorder = await start();
    const nasty = '\n\u001b[31m=cmd|\ud800\u202e"}'.repeat(4000);
    const index = await recorder.record(
      decision(0, {
        model: nasty,
        because: nasty,
        address: nasty,
        principal: undefined,
        top: Array.from({ length: 1000 }, () => [1, Number.NaN] as const),
        guards: Array.from(
          { length: 500 },
          () => ({ guard: nasty, action: 'flag', score: Number.POSITIVE_INFINITY, because: nasty }) as const,
        ),
      }),
    );
    await recorder.record({
      kind: 'event',
      at: 1,
      event: nasty,
      by: nasty,
      about: { [nasty]: nasty, list: [nasty] },
    });
    await recorder.close();
    const { text } = await logged();
    expect(index).toBe(0);
    for (const each of text) {
      expect(each.length).toBeLessThan(65_536);
      expect(/\p{Cc}/u.test(each)).toBe(false);
    }
  });
});

describe('what is kept of a person', () => {
  const config = { who: 'sealed', payloads: { keep: 'both' } };
  const keysOf = async () =>
    subjectKeys(
      places().subjects,
      localKey(Buffer.from((await readFile(places().wrappingKey, 'utf8')).trim(), 'hex')),
    );

  it('is readable with the key of the subject, and with no other', async () => {
    const recorder = await start(config);
    await recorder.record(decision(1, { principal: 'alice' }), payload(1));
    await recorder.record(decision(2, { principal: 'clinic' }), { ...payload(2), subject: 'patient 7' });
    await recorder.close();
    const { entries, text } = await logged();
    for (const name of ['alice', 'clinic', 'patient', 'acme', '192.0.2.7'])
      expect(text.join('')).not.toContain(name);
    const keys = await keysOf();
    const [alice, patient] = [(await keys.find('alice'))!, (await keys.find('patient 7'))!];
    expect(await keys.find('clinic')).toBeUndefined();
    for (const [i, key, other] of [
      [1, alice, patient],
      [2, patient, alice],
    ] as const) {
      const id = Buffer.from(decision(i).id, 'hex');
      const { who, payload: place, subject } = entries[i - 1]!;
      expect(subject).toBe(key.pseudonym);
      const opened = JSON.parse(
        openBytes(key.identity, id, 'who', Buffer.from(who as string, 'base64')).toString(),
      );
      expect(opened).toMatchObject({ principal: i === 1 ? 'alice' : 'clinic', tenant: 'acme' });
      expect(() => openBytes(other.identity, id, 'who', Buffer.from(who as string, 'base64'))).toThrow(
        'vault/unreadable'.slice(0, 0) || 'sealed',
      );
      const sealed = await readPayload(places().payloads, place!);
      const plain = readPayloadBytes(openBytes(key.payloads, id, 'payload', sealed));
      expect(plain.input.map(String)).toEqual(payload(i).input.map(String));
      expect(plain.output.map(String)).toEqual([`output ${i}`]);
      expect(() => openBytes(other.payloads, id, 'payload', sealed)).toThrow('sealed');
    }
  });

  it('is erased with the key, while the log stays whole and goes on', async () => {
    const recorder = await start(config);
    await recorder.record(decision(1, { principal: 'alice' }), payload(1));
    await recorder.record(decision(2, { principal: 'bob' }), payload(2));
    const keys = await keysOf();
    const old = (await keys.find('alice'))!;
    expect(await recorder.erase('alice', 'operator')).toBe(true);
    expect(await recorder.erase('alice', 'operator')).toBe(false);
    await recorder.record(decision(3, { principal: 'alice' }), payload(3));
    await recorder.close();
    const { entries } = await logged();
    expect(entries[2]!.event).toMatchObject({ event: 'subject-erased', about: { subject: old.pseudonym } });
    const now = (await (await keysOf()).find('alice'))!;
    // The same person later is another subject: nothing links the two, and the new key opens nothing of before.
    expect(entries[3]!.subject).toBe(now.pseudonym);
    expect(now.pseudonym).not.toBe(old.pseudonym);
    const id = Buffer.from(decision(1).id, 'hex');
    expect(() =>
      openBytes(now.identity, id, 'who', Buffer.from(entries[0]!.who as string, 'base64')),
    ).toThrow();
    expect(commitment(now.salts, id, 'input', payload(1).input)).not.toBe(entries[0]!.commitments!.input);
    const files = await readdir(places().subjects, { recursive: true });
    expect(files.filter((name) => name.endsWith('.json'))).toHaveLength(2);
  });

  it('lies where the log says it does, also after a write that failed', async () => {
    const at = join(folder, 'p');
    const store = await openPayloads(at, { retention: 1e12, most: 1e12, now: Date.now });
    const [first] = await store.append([Buffer.from('first')]);
    const probe = await openFile(join(folder, 'probe'), 'w');
    const flush = vi.spyOn(Object.getPrototypeOf(probe), 'datasync');
    await probe.close();
    flush.mockRejectedValueOnce(new Error('EIO'));
    expect(await code(store.append([Buffer.from('lost')]))).toBe('output/unwritable');
    vi.restoreAllMocks();
    const [third] = await store.append([Buffer.from('third')]);
    expect((await readPayload(at, first!)).toString()).toBe('first');
    expect((await readPayload(at, third!)).toString()).toBe('third');
    await store.close();
  });

  it('goes when its time has come, whole files at a time, and never the log', async () => {
    let now = 1_000_000_000_000;
    const day = 86_400_000;
    const at = join(folder, 'p');
    const store = await openPayloads(at, { retention: 10 * day, most: 1e9, now: () => now });
    const [first] = await store.append([Buffer.from('one'), Buffer.from('two')]);
    now = Date.now() + 2 * day;
    const [second] = await store.append([Buffer.from('three')]);
    expect((await readPayload(at, second!)).toString()).toBe('three');
    now = Date.now() + 11 * day;
    await store.append([Buffer.from('four')]);
    const removed = await store.sweep();
    expect(removed.map(({ because }) => because)).toEqual(['age', 'age']);
    expect(await code(readPayload(at, first!))).toBe('vault/unreadable');
    await store.close();
    const small = await openPayloads(at, { retention: 100 * day, most: 4, now: () => now });
    await small.append([Buffer.alloc(10)]);
    expect((await small.sweep()).map(({ because }) => because)).toEqual(['size']);
    await small.close();
  });
});

describe('abuse 26: a disk that is full or fails', () => {
  const data = async () => {
    const config = recordConfig();
    const signers = await signersFrom(places(), config.origin, undefined);
    return {
      glacis: 'record',
      folder,
      origin: config.origin,
      signers: signers.map(({ algorithm, privateKey }) => ({ algorithm, privateKey })),
      publishEvery: 5,
      freeSpace: 1000,
      sealWho: false,
      keep: 'none',
      retention: 1e9,
      mostPayloads: 1e9,
      wrappingKey: await wrappingKeyName(places(), undefined),
    } as const;
  };
  const frameOf = (i: number) => {
    const frame = recordFrame();
    frame.add({
      kind: 'decision',
      id: decision(i).id,
      subject: 's',
      who: '{}',
      body: decisionText(decision(i)),
    });
    return frame.take();
  };

  it('stops serving below the floor, records until half of it, and goes on when there is room', async () => {
    let free = 5000;
    const log = await openRecordWriter(await data(), { now: Date.now, free: () => free });
    expect(await log.record(frameOf(0))).toBe(0);
    const at = async (bytes: number) => {
      free = bytes;
      await new Promise((resolve) => setTimeout(resolve, 220));
    };
    await at(900);
    expect(log.space()).toEqual({ free: 900, low: true });
    expect(await log.record(frameOf(1))).toBe(1);
    await at(400);
    expect(await code(log.record(frameOf(2)))).toBe('output/unwritable');
    await at(5000);
    expect(log.space().low).toBe(false);
    expect(await log.record(frameOf(3))).toBe(2);
    await log.close();
  });

  it('records nothing more after a write that failed, says so for good, and keeps what it acknowledged', async () => {
    const plain = folderStore(places().log);
    let fails = false;
    const store: LogStore = {
      ...plain,
      journal: {
        ...plain.journal!,
        async open(path) {
          const file = await plain.journal!.open(path);
          return {
            ...file,
            append: async (more) => {
              if (fails) throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' });
              await file.append(more);
            },
          };
        },
      },
    };
    const log = await openRecordWriter(await data(), { now: Date.now, store });
    await log.record(frameOf(0));
    fails = true;
    expect(await code(log.record(frameOf(1)))).toBe('output/unwritable');
    fails = false;
    expect(await code(log.record(frameOf(2)))).toBe('output/unwritable');
    expect(log.writer.broken?.message).toContain('EIO');
    await log.close();
    const again = await openRecordWriter(await data(), { now: Date.now });
    expect(again.writer.recovered?.entries ?? 0).toBeLessThanOrEqual(1);
    expect(again.writer.checkpoint.size).toBe(1);
    await again.close();
  });

  it('is what the recorder says of itself, from then on', async () => {
    const recorder = await start();
    await recorder.record(decision(0));
    expect(recorder.broken).toBeUndefined();
    // The journal's folder turns into a file: whatever is written next fails.
    await rm(join(places().log, 'tile'), { recursive: true, force: true });
    await writeFile(join(places().log, 'tile'), 'x');
    await rm(join(places().log, '.staging'), { recursive: true, force: true });
    await writeFile(join(places().log, '.staging'), 'x');
    await recorder.record(decision(1)).catch(() => {});
    await until(() => recorder.broken !== undefined);
    expect(await code(recorder.record(decision(2)))).toBe('output/unwritable');
    expect(await code(recorder.receipt(0))).toBe('output/unwritable');
  });

  it('is what the first reader sees when the configured floor is above what there is', async () => {
    const recorder = await start({ freeSpace: '900000 TiB' });
    await until(() => recorder.broken !== undefined);
    expect(recorder.broken).toContain('free disk');
    expect(await code(recorder.record(decision(0)))).toBe('output/unwritable');
  });
});

it('reads receipts of whoever with its own errors only', async () => {
  const recorder = await start();
  const text = await recorder.receipt(await recorder.record(decision(0)));
  const trust = parseTrustFile(Buffer.from(JSON.stringify(recorder.trust)), 'trust');
  await recorder.close();
  expect(checkReceipt(text, trust, 'x').index).toBe(0);
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.string({ maxLength: 4 }), fc.nat(5), (at, put, drop) => {
      const changed = text.slice(0, at) + put + text.slice(at + drop);
      try {
        const { leaf } = checkReceipt(changed, trust, 'x');
        // Only what nothing vouches for may differ.
        expect(leaf).toBe(checkReceipt(text, trust, 'x').leaf);
      } catch (thrown) {
        expect((thrown as { code?: string }).code).toMatch(/^ledger\//);
      }
    }),
    { numRuns: 300 },
  );
});

describe('frames', () => {
  it('give back what was put in', () => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    const one = fc.record({
      kind: fc.constantFrom('decision' as const, 'event' as const),
      id: fc.constantFrom('ab'.repeat(16), '0123456789abcdef0123456789abcdef'),
      subject: fc.string({ unit: 'grapheme' }),
      who: fc.string({ unit: 'grapheme' }),
      body: fc.string({ maxLength: 3000 }),
      input: fc.option(fc.array(bytes, { maxLength: 3 }), { nil: undefined }),
      output: fc.array(bytes, { maxLength: 2 }),
    });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 12 }), (records) => {
        const frame = recordFrame();
        for (const record of records) frame.add(record);
        expect(frame.count).toBe(records.length);
        const back = readFrame(frame.take());
        expect(
          back.map(({ kind, id, subject, who, body, input, output }) => ({
            kind,
            id: Buffer.from(id).toString('hex'),
            subject,
            who: who.toString(),
            body: body.toString(),
            input: input?.map((part) => [...part]),
            output: output?.map((part) => [...part]),
          })),
        ).toEqual(
          records.map((record) => ({
            ...record,
            input: record.input?.map((part) => [...part]),
            output: record.input && record.output.map((part) => [...part]),
          })),
        );
      }),
    );
  });
});
