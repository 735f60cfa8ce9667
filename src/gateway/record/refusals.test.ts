import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  createLog,
  folderSource,
  folderStore,
  formatVerifierKey,
  type LogWriter,
  openLog,
  readLog,
} from '../../ledger/index.ts';
import { logSigners, newLogKey } from '../../registry/log-key.ts';
import { localKey } from '../../supply/vault/wrapping-key.ts';
import { eventText } from './decision-text.ts';
import { EVENT_SCHEMA, entryBytes, payloadBytes, readPayloadBytes } from './entry-text.ts';
import { openEntryIndex } from './live/entry-index.ts';
import { openLiveLog } from './live/open-live-log.ts';
import { logFolder, parseTrustFile, signersFrom, trustOf } from './log-folder.ts';
import { openLogIndex } from './log-index.ts';
import { type OpenRecorder, openRecorder } from './open-recorder.ts';
import { openPayloads, readPayload } from './payload-store.ts';
import { checkReceipt, receiptExtra } from './receipt.ts';
import { decision, recordConfig } from './record.fixture.ts';
import { trustAfter } from './rotate-keys.ts';
import { subjectKeys } from './subject-keys.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-record-refusals-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

/** A place below a file: nothing can be made there, whoever asks. */
const nowhere = async (): Promise<string> => {
  await writeFile(join(folder, 'file'), '');
  return join(folder, 'file', 'x');
};
/** The next flush of a file fails. */
const nextFlushFails = async (): Promise<void> => {
  const probe = await open(join(folder, 'probe'), 'w');
  const sync = vi.spyOn(Object.getPrototypeOf(probe), 'sync');
  await probe.close();
  sync.mockRejectedValueOnce(new Error('EIO'));
};
const refused = async (work: () => unknown, code: string, words: RegExp = /./) =>
  expect(async () => work()).rejects.toMatchObject({ code, message: expect.stringMatching(words) });

describe('payloads that are kept', () => {
  it('are not read from a place that is none, nor past what the log says of them', async () => {
    const store = await openPayloads(folder, { retention: 1e12, most: 1e12, now: () => 1 });
    const [place] = await store.append([Buffer.from('payload')]);
    await store.close();
    expect(String(await readPayload(folder, place!))).toBe('payload');
    for (const at of ['', ':0', '../../etc/passwd:0', `${place!.at}x`])
      await refused(() => readPayload(folder, { ...place!, at }), 'vault/unreadable', /a place of a payload/);
    await refused(() => readPayload(folder, { ...place!, bytes: 2 ** 32 }), 'vault/unreadable', /a place/);
    await refused(() => readPayload(folder, { ...place!, bytes: 6 }), 'vault/unreadable', /were changed/);
    await refused(() => readPayload(folder, { ...place!, bytes: 8 }), 'vault/unreadable', /were changed/);
    await writeFile(join(folder, `${place!.at.split(':')[0]}.payloads`), 'PAYLOAD');
    await refused(() => readPayload(folder, place!), 'vault/unreadable', /were changed/);
  });

  it('are not taken where they cannot be written', async () => {
    const options = { retention: 1, most: 1, now: () => 1 };
    const at = await nowhere();
    await refused(() => openPayloads(at, options), 'output/unwritable', /not a directory/);
  });

  it('are inputs and outputs, whole', () => {
    const whole = payloadBytes([Buffer.from('in')], [Buffer.from('out')]);
    expect(readPayloadBytes(whole).output.map(String)).toEqual(['out']);
    for (const bytes of [whole.subarray(0, 3), whole.subarray(0, 12), whole.subarray(0, -1)])
      expect(() => readPayloadBytes(bytes)).toThrow(/expected inputs and outputs/);
  });
});

describe('an entry', () => {
  it('that is longer than the log takes is refused, and not cut', () => {
    const event = (length: number) => ({
      ...{ kind: 'event' as const, id: Buffer.alloc(16), subject: '', who: Buffer.alloc(0) },
      ...{ body: Buffer.alloc(length, 0x20), input: undefined, output: undefined },
    });
    const around = '{"event":,"schema":""}'.length + EVENT_SCHEMA.length;
    const bytesOf = (length: number) =>
      entryBytes(event(length), undefined, { sealWho: false, payload: undefined });
    expect(bytesOf(65_535 - around)).toHaveLength(65_535);
    expect(() => bytesOf(65_536 - around)).toThrow(/at most 65535 bytes, got 65536/);
  });
});

describe('keys of subjects', () => {
  const keysIn = (at: string, byte = 1) => subjectKeys(at, localKey(Buffer.alloc(32, byte)));

  it('that are damaged, or wrapped by another key, open nothing', async () => {
    const { pseudonym } = await keysIn(folder).keyOf('alice');
    expect((await keysIn(folder).find('alice'))?.pseudonym).toBe(pseudonym);
    await refused(() => keysIn(folder, 2).find('alice'), 'vault/key', /expected the wrapping key local:/);
    const [name] = (await readdir(folder, { recursive: true })).filter((each) => each.endsWith('.json'));
    await writeFile(join(folder, name!), '{"schema":"glacis.subject-key/1"}');
    await refused(() => keysIn(folder).find('alice'), 'vault/unreadable', /the key of a subject/);
  });

  it('that cannot be written, or destroyed, are said to be so', async () => {
    const keys = keysIn(folder);
    await nextFlushFails();
    await refused(() => keys.keyOf('alice'), 'output/unwritable', /EIO/);
    await keys.keyOf('alice');
    await nextFlushFails();
    await refused(() => keys.erase('alice'), 'output/unwritable', /EIO/);
  });

  it('are not made anew where they cannot be read', async () => {
    const at = await nowhere();
    await refused(() => keysIn(at).find('alice'), 'output/unwritable');
  });
});

describe('whom to believe about a log', () => {
  const origin = 'example.com/decisions';
  let pem: Buffer;
  beforeEach(() => {
    pem = Buffer.from(newLogKey());
  });
  const signers = () => logSigners(pem, origin, 'key');

  it('is said in a file of up to a mebibyte, and in nothing else', () => {
    const text = JSON.stringify(trustOf(origin, signers()));
    expect(parseTrustFile(Buffer.from(text), 'x').origin).toBe(origin);
    for (const other of [text.padEnd((1 << 20) + 1), '{}', 'x', text.replace('/1"', '/2"')])
      expect(() => parseTrustFile(Buffer.from(other), 'x')).toThrow(/expected the trust file of a log/);
  });

  it('are keys that are there: a file that was named is not made', async () => {
    const file = join(folder, 'own.pem');
    await refused(() => signersFrom(logFolder(folder), origin, file), 'key/unusable', /there is no file/);
    await refused(() => readFile(file), 'ENOENT');
  });

  /** A log with one entry that names the next keys, and `more` behind it; gives what a receipt of that entry says. */
  const announced = async (keys: unknown, more: number) => {
    const identity = { origin, signers: signers(), now: () => new Date(5) };
    const writer: LogWriter = await createLog(folderStore(folder), identity);
    const about = { keys } as never;
    const body = eventText({ kind: 'event', at: 5, event: 'log-keys-rotated', by: 'x', about });
    const entry = Buffer.from(`{"event":${body},"schema":"${EVENT_SCHEMA}"}`);
    await writer.append(entry);
    for (let i = 0; i < more; i++) await writer.append(Buffer.from('{}'));
    await writer.close();
    const trust = { origin, keys: signers() };
    const log = await openLog(folderSource(folder), trust);
    const receipt = () => log.prove(0, (leaf) => receiptExtra(leaf, entry));
    return { trust, log, receipt };
  };
  const next = () => logSigners(Buffer.from(newLogKey()), origin, 'next').map(formatVerifierKey);

  it('goes over to the keys that the last entry names, and to no others', async () => {
    const keys = next();
    const { trust, receipt } = await announced(keys, 0);
    expect(trustAfter(trust, [await receipt()]).trust.keys.map(formatVerifierKey)).toEqual(keys);
  });

  it.each<[string, () => unknown, number]>([
    ['that is not the last', next, 1],
    ['without keys', () => [], 0],
    ['with something else in their place', () => 'all of them', 0],
  ])('does not go over for an entry %s', async (_, keys, more) => {
    const { trust, receipt } = await announced(keys(), more);
    const proof = await receipt();
    expect(() => trustAfter(trust, [proof])).toThrow(/the last entry to name the next keys/);
  });

  it('is asked about an entry that a receipt names, or that is given', async () => {
    const { trust, log } = await announced(next(), 0);
    const bare = await log.prove(0);
    expect(() => checkReceipt(bare, trust, 'x')).toThrow(/a receipt that names its entry/);
    expect(checkReceipt(bare, trust, 'x', await log.entry(0)).index).toBe(0);
  });
});

describe('an index over the log', () => {
  it('that cannot be opened or written says so, and is as it was', async () => {
    const at = await nowhere();
    await refused(() => openEntryIndex(at), 'output/unwritable');
    await refused(() => openLogIndex(at), 'output/unwritable');
    const file = join(folder, 'live.db');
    const index = openEntryIndex(file);
    const state = { origin: 'o', next: 1, size: 1, root: Buffer.alloc(32) };
    index.add(0, [undefined], state);
    const other = new DatabaseSync(file);
    other.exec("create trigger no before insert on log begin select raise(fail, 'disk full'); end");
    other.close();
    await refused(() => index.add(1, [undefined], { ...state, next: 2 }), 'output/unwritable', /disk full/);
    expect(index.state?.next).toBe(1);
    index.close();
  });

  it('of the whole log is as it was after a write that failed', async () => {
    const signers = logSigners(Buffer.from(newLogKey()), 'o', 'key');
    const writer = await createLog(folderStore(join(folder, 'log')), {
      origin: 'o',
      signers,
      now: () => new Date(5),
    });
    const body = eventText({ kind: 'event', at: 5, event: 'e', by: 'x', about: {} });
    const append = () => writer.append(Buffer.from(`{"event":${body},"schema":"${EVENT_SCHEMA}"}`));
    await append();
    const index = openLogIndex(join(folder, 'index.db'));
    const source = folderSource(join(folder, 'log'));
    const nobody = async () => undefined;
    await index.catchUp(readLog(source, writer.checkpoint), nobody);
    await append();
    const other = new DatabaseSync(join(folder, 'index.db'));
    other.exec("create trigger no before insert on log begin select raise(fail, 'disk full'); end");
    const log = readLog(source, writer.checkpoint);
    await refused(() => index.catchUp(log, nobody), 'output/unwritable', /disk full/);
    expect(other.prepare('select count(*) as n from entries').get()).toEqual({ n: 1 });
    other.close();
    index.close();
    await writer.close();
  });
});

describe('the threads of the log', () => {
  let recorder: OpenRecorder;
  /** Opens what starts a thread, and gives the thread with it. */
  const withThread = async <T>(open: () => Promise<T>): Promise<readonly [T, Worker]> => {
    const started = new Promise<Worker>((done) => process.once('worker', done));
    return [await open(), await started];
  };
  const opened = () => openRecorder(recordConfig(), { folder });

  it('record nothing once they are closed', async () => {
    recorder = await opened();
    await recorder.close();
    for (const work of [() => recorder.record(decision(0)), () => recorder.receipt(0)])
      await refused(work, 'output/unwritable', /the log is closed/);
  });

  it('that end leave nobody waiting, and nothing is taken after that', async () => {
    const [made, thread] = await withThread(opened);
    const waiting = made.record(decision(0));
    await thread.terminate();
    await refused(() => waiting, 'output/unwritable', /the thread that writes the log ended/);
    expect(made.broken).toMatch(/ended/);
    await refused(() => made.record(decision(1)), 'output/unwritable', /ended/);
    await made.close();
  });

  it('are not given more than the disk keeps up with', async () => {
    recorder = await opened();
    const input = [new Uint8Array(256 << 20)];
    const taken = recorder.record(decision(0), { input, output: [] });
    await new Promise((done) => setImmediate(done));
    await refused(() => recorder.record(decision(1)), 'output/unwritable', /does not keep up/);
    expect(await taken).toBe(0);
    expect(await recorder.record(decision(1))).toBe(1);
    await recorder.close();
  });

  it('that search turn away what is too much, what waits when they end, and what comes then', async () => {
    recorder = await opened();
    const { trust } = recorder;
    const [live, thread] = await withThread(() =>
      openLiveLog(recordConfig(), { folder, trust, failed: () => {} }),
    );
    const asked = Array.from({ length: 200 }, () => live.state());
    await refused(() => live.state(), 'store/unavailable', /too many questions at once/);
    await Promise.all(asked);
    const waiting = live.state();
    await thread.terminate();
    await refused(() => waiting, 'store/unavailable', /its thread has ended/);
    await refused(() => live.state(), 'store/unavailable', /being started again/);
    await live.close();
    await recorder.close();
  });
});

it('a log whose folder cannot be made is not opened', async () => {
  const at = await nowhere();
  await refused(() => openRecorder(recordConfig(), { folder: at }), 'output/unwritable', /x: ENOTDIR/);
});
