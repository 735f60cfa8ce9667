import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { parseArgs } from 'node:util';
import { GlacisError } from '../../src/core/error.ts';
import { BENCH } from '../places.ts';
import { bodiesOf, headersFor, NETWORKS, type Network, writeBodies } from '../suites/request-bodies.ts';
import { mappedMemory } from './mapped-memory.ts';
import type { MemoryLine } from './memory-on-request.ts';

/** Connections, and requests between two looks at the memory. */
const CLIENTS = 32;
const EVERY = 25_000;
const MIB = 2 ** 20;

/** A heap of V8: its objects, what is held for them, and buffers outside of it. */
interface HeapLook {
  readonly heapMiB: number;
  readonly heldMiB: number;
  readonly externalMiB: number;
}

/** What the server holds after a step, garbage of the main thread collected and nothing under way. */
interface Look {
  readonly requests: number;
  /** What the system counts for the whole process: the sum of the next three (Linux only). */
  readonly residentMiB: number;
  readonly filesMiB: number | undefined;
  readonly nativeMiB: number | undefined;
  readonly otherMiB: number | undefined;
  /** Of the main thread. */
  readonly heapMiB: number;
  readonly externalMiB: number;
  readonly arrayBuffersMiB: number;
  /** Of every thread, in the order in which they were started, the main one first. */
  readonly threads: Readonly<Record<string, HeapLook>>;
}

/**
 * Asks the full gateway `--requests` times and writes how much memory it has after each step, thread by thread, to `--out`:
 * `node bench/ours/long-run.ts --requests 1000000 --cpu 600 --out bench/results/long-run.json`. The last look, `collected`, comes after a collection in all threads: what is left then is
 * kept, the rest waited for one. `--cpu`: seconds of processor time, of the server and of this program together, after
 * which it ends early and says so. `--serve JSON` changes the configuration. No clock is in the result, so a busy machine does no harm. Systems with signals only. Errors: `run/failed` where
 * a request is refused.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      requests: { type: 'string', default: '1000000' },
      cpu: { type: 'string', default: '100000' },
      serve: { type: 'string', default: '{}' },
      out: { type: 'string' },
    },
    strict: true,
  });
  const watch = ['--expose-gc', '--import', join(BENCH, 'ours', 'memory-on-request.ts')];
  const network = NETWORKS[0]!;
  const { name, file } = network;
  writeBodies(network, 'binary');
  // A machine that others stop for minutes is late with its answers, and not wrong.
  const batching = { queue: 100_000, timeoutMilliseconds: 3_600_000 };
  const changes = JSON.parse(values.serve) as object;
  const serve = { models: { m: { file, check: { asGiven: true }, batching } }, timeout: 600_000, ...changes };
  const own = ['--serve', JSON.stringify(serve)];
  const program = [join(BENCH, 'ours', 'gateway.ts'), '--mode', 'full', '--model', file, ...own];
  const server = spawn(process.execPath, [...watch, ...program], {
    stdio: ['pipe', 'pipe', 'inherit', 'pipe'],
  });
  const said = createInterface({ input: server.stdio[3] as Readable })[Symbol.asyncIterator]();
  for await (const line of createInterface({ input: server.stdout! })) {
    if (!line.includes('"rest"')) continue;
    const { rest, key } = JSON.parse(line) as { readonly rest: string; readonly key: string };
    const url = `${rest}/v2/models/m/infer`;
    const look: LookNow = async (signal) => {
      server.kill(signal);
      const { value } = (await said.next()) as { value: string };
      return { line: JSON.parse(value) as MemoryLine, mapped: mappedOf(server.pid!) };
    };
    const sofar: Sofar = (result) => {
      const text = `${JSON.stringify({ model: name, clients: CLIENTS, every: EVERY, ...result })}\n`;
      if (values.out !== undefined) writeFileSync(values.out, text);
      return text;
    };
    const asked = { network, url, key, count: Number(values.requests), cpu: Number(values.cpu) };
    process.stdout.write(sofar(await run(asked, look, sofar)));
    break;
  }
  server.stdin!.end();
}

/** Collects garbage in the main thread, or in all, and says what is there. */
type LookNow = (
  signal: 'SIGUSR2' | 'SIGHUP',
) => Promise<{ readonly line: MemoryLine; readonly mapped: ReturnType<typeof mappedOf> }>;

function mappedOf(pid: number) {
  return process.platform === 'linux'
    ? mappedMemory(readFileSync(`/proc/${pid}/smaps`, 'latin1'))
    : undefined;
}

/** Keeps what was seen so far, so that a run that is stopped leaves that. */
type Sofar = (result: object) => string;

/** Asks in steps; `look` after each. */
async function run(
  {
    network,
    url,
    key,
    count,
    cpu,
  }: {
    readonly network: Network;
    readonly url: string;
    readonly key: string;
    readonly count: number;
    readonly cpu: number;
  },
  look: LookNow,
  sofar: Sofar,
) {
  const { hostname, port } = new URL(url);
  const headers = headersFor(network, 'binary', key);
  const requests = bodiesOf(network, 'binary').map((body) => requestOf(body, headers, hostname));
  const ask = { port: Number(port), hostname, requests };
  const looks: Look[] = [];
  let [asked, late] = [0, 0];
  for (;;) {
    const seen = await look('SIGUSR2');
    looks.push(lookOf(asked, seen));
    const own = process.cpuUsage();
    const used = seen.line.cpu + (own.user + own.system) / 1e6;
    console.error(JSON.stringify(looks.at(-1)), `${used.toFixed(0)} s`);
    const seenSofar = { requests: asked, late, cpuSeconds: Math.round(used), looks };
    if (asked >= count || used > cpu) {
      const collected = lookOf(asked, await look('SIGHUP'));
      console.error(JSON.stringify(collected), 'after a collection in all threads');
      return { ...seenSofar, collected };
    }
    sofar(seenSofar);
    const amount = Math.min(EVERY, count - asked);
    const step = { left: amount, late: 0 };
    await Promise.all(Array.from({ length: CLIENTS }, () => client(ask, step)));
    late += step.late;
    asked += amount;
  }
}

function lookOf(requests: number, { line, mapped }: Awaited<ReturnType<LookNow>>): Look {
  const threads: Record<string, HeapLook> = {};
  for (const [i, { name, used, held, external }] of line.threads.entries())
    threads[`${i} ${name}`] = {
      heapMiB: mebibytes(used),
      heldMiB: mebibytes(held),
      externalMiB: mebibytes(external),
    };
  return {
    requests,
    residentMiB: mebibytes(line.rss),
    filesMiB: mapped && mebibytes(mapped.files),
    nativeMiB: mapped && mebibytes(mapped.native),
    otherMiB: mapped && mebibytes(mapped.other),
    heapMiB: mebibytes(line.heapUsed),
    externalMiB: mebibytes(line.external),
    arrayBuffersMiB: mebibytes(line.arrayBuffers),
    threads,
  };
}

/** One connection that asks, waits, and asks again until nothing is left. Errors: `run/failed` for any other answer than 200 and 504. */
function client(
  ask: { readonly hostname: string; readonly port: number; readonly requests: readonly Buffer[] },
  step: { left: number; late: number },
): Promise<void> {
  const { hostname, port, requests } = ask;
  return new Promise((resolve, reject) => {
    const socket = connect(port, hostname);
    let held = '';
    let isOver = false;
    const next = (): void => {
      held = '';
      if (step.left === 0) {
        isOver = true;
        socket.end();
        resolve();
        return;
      }
      socket.write(requests[step.left-- % requests.length]!);
    };
    socket.setEncoding('latin1');
    socket.on('connect', next);
    socket.on('error', () => {});
    // Where the machine stood still for long, the server has closed what was idle: what was asked there counts as late.
    socket.on('close', () => {
      if (isOver) return;
      step.late++;
      client(ask, step).then(resolve, reject);
    });
    socket.on('data', (chunk) => {
      held += chunk;
      const end = held.indexOf('\r\n\r\n');
      if (end < 0 || held.length < end + 4 + Number(/content-length: (\d+)/i.exec(held)?.[1] ?? 0)) return;
      const status = held.slice(9, 12);
      if (status === '504') step.late++;
      else if (status !== '200') reject(new GlacisError('run/failed', `expected 200, got ${status}`));
      next();
    });
  });
}

/** A whole request over HTTP/1.1. */
function requestOf(body: Buffer, headers: Readonly<Record<string, string>>, host: string): Buffer {
  const lines = Object.entries({ Host: host, ...headers, 'Content-Length': String(body.length) });
  const head = `POST /v2/models/m/infer HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

function mebibytes(bytes: number): number {
  return Number((bytes / MIB).toFixed(1));
}

await main();
