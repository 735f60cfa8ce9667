import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { recordSchema } from '../../src/gateway/record/config-schema.ts';
import { openRecorder } from '../../src/gateway/record/open-recorder.ts';
import { decision } from '../../src/gateway/record/record.fixture.ts';
import {
  auditLog,
  createLog,
  folderSource,
  folderStore,
  type LogWriter,
  openLog,
} from '../../src/ledger/index.ts';
import { logSigners, newLogKey } from '../../src/registry/log-key.ts';
import { clock, done, environment, line } from './lines.ts';

const ORIGIN = 'example.com/benchmark';
const ENTRY_BYTES = 300;
/** Appends that are not acknowledged yet, at any time. */
const OUTSTANDING = 4096;

const [mode = '', folder = '', count = '', threads = '2'] = process.argv.slice(2);
const n = Number(count);
mkdirSync(folder, { recursive: true });

/** Keys of the benchmark's logs; nothing rests on them. */
const keyFile = join(folder, 'key.pem');
if (!existsSync(keyFile)) writeFileSync(keyFile, newLogKey());
const signers = logSigners(readFileSync(keyFile), ORIGIN, keyFile);
const identity = { origin: ORIGIN, signers, now: () => new Date() };
const trust = { origin: ORIGIN, keys: signers };

environment(Number(threads));
if (mode === 'append') await append();
else if (mode === 'single') await single();
else if (mode === 'record') await record();
else if (mode === 'verify') await verify();
else if (mode === 'prove') await prove();
else throw new Error(`mode: expected append, single, record, verify or prove, got ${mode}`);
done();

/** Appends `n` entries one by one, many outstanding, and closes the log. */
async function append(): Promise<void> {
  const at = await mkdtemp(join(folder, 'append-'));
  const writer = await createLog(folderStore(at), identity, { publishEvery: 100 });
  const before = clock();
  const rss = await fill(writer, n, ENTRY_BYTES);
  const acknowledged = clock();
  await writer.close();
  const after = clock();
  line('repeat', { index: 0, wall: acknowledged.wall - before.wall, cpu: acknowledged.cpu - before.cpu });
  line('closed', { wall: after.wall - before.wall, cpu: after.cpu - before.cpu, rss });
  rmSync(at, { recursive: true });
}

/** Appends one entry after the other: what a single client waits for. */
async function single(): Promise<void> {
  const at = await mkdtemp(join(folder, 'single-'));
  const writer = await createLog(folderStore(at), identity, { publishEvery: 100 });
  const times: number[] = [];
  const before = clock();
  for (let i = 0; i < n; i++) {
    const start = performance.now();
    await writer.append(entryOf(i, ENTRY_BYTES));
    times.push(performance.now() - start);
  }
  const after = clock();
  await writer.close();
  line('repeat', { index: 0, wall: after.wall - before.wall, cpu: after.cpu - before.cpu });
  line('latency', quantiles(times));
  rmSync(at, { recursive: true });
}

/** Records `n` decisions with payloads of the size of an MNIST image through the recorder's thread. */
async function record(): Promise<void> {
  const at = await mkdtemp(join(folder, 'record-'));
  const recorder = await openRecorder(recordSchema.parse({ origin: ORIGIN }), { folder: at });
  const payload = { input: [randomBytes(3136)], output: [randomBytes(40)] };
  const ids = Array.from({ length: 4096 }, () => randomBytes(16).toString('hex'));
  let next = 0;
  const own = process.threadCpuUsage();
  const before = clock();
  await Promise.all(
    Array.from({ length: 256 }, async () => {
      while (next < n) {
        const i = next++;
        await recorder.record(decision(i, { id: ids[i % ids.length]! }), payload);
      }
    }),
  );
  const after = clock();
  const thread = process.threadCpuUsage(own);
  await recorder.close();
  line('repeat', { index: 0, wall: after.wall - before.wall, cpu: after.cpu - before.cpu });
  line('thread', { microsecondsEach: (thread.user + thread.system) / n });
  rmSync(at, { recursive: true });
}

/** Verifies every entry and tile of a log of `n` entries, which is made where it is missing. */
async function verify(): Promise<void> {
  const at = await madeLog(n, ENTRY_BYTES);
  const source = folderSource(at);
  for (let index = 0; index < 3; index++) {
    const before = clock();
    const { entries } = await auditLog(await openLog(source, trust), source, { threads: Number(threads) });
    const after = clock();
    if (entries !== n) throw new Error(`verify: expected ${n} entries, got ${entries}`);
    line('repeat', { index, wall: after.wall - before.wall, cpu: after.cpu - before.cpu });
  }
}

/** Opens a log of `n` entries and proves entries of it, each time with nothing in memory. */
async function prove(): Promise<void> {
  const at = await madeLog(n, 32);
  const source = folderSource(at);
  const times: number[] = [];
  const before = clock();
  for (let i = 0; i < 300; i++) {
    const start = performance.now();
    const log = await openLog(source, trust);
    await log.prove(Math.floor(((i * 7919) % 300) * (n / 300)));
    times.push(performance.now() - start);
  }
  const after = clock();
  line('repeat', { index: 0, wall: (after.wall - before.wall) / 300, cpu: (after.cpu - before.cpu) / 300 });
  line('latency', quantiles(times));
}

async function madeLog(size: number, bytes: number): Promise<string> {
  const at = join(folder, `log-${size}-${bytes}`);
  if (existsSync(join(at, 'made'))) return at;
  rmSync(at, { recursive: true, force: true });
  const writer = await createLog(folderStore(at), identity, { publishEvery: 1000 });
  await fill(writer, size, bytes);
  await writer.close();
  writeFileSync(join(at, 'made'), '');
  return at;
}

/** Gives the resident memory at tenths of the way, in MiB. */
async function fill(writer: LogWriter, size: number, bytes: number): Promise<readonly number[]> {
  const rss: number[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: OUTSTANDING }, async () => {
      while (next < size) {
        const i = next++;
        if (i % Math.ceil(size / 10) === 0) rss.push(process.memoryUsage.rss() >> 20);
        await writer.append(entryOf(i, bytes));
      }
    }),
  );
  return rss;
}

function entryOf(i: number, bytes: number): Buffer {
  const entry = Buffer.alloc(bytes, 0x78);
  entry.writeUInt32BE(i);
  return entry;
}

function quantiles(times: readonly number[]) {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  return { p50: at(0.5), p99: at(0.99), worst: at(1) };
}
