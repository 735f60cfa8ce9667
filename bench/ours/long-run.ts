import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { parseArgs } from 'node:util';
import { GlacisError } from '../../src/core/error.ts';
import { BENCH } from '../places.ts';
import { bodies, headersFor, NETWORKS, writeBodies } from '../suites/wrk-load.ts';

/** Connections, and requests between two looks at the memory. */
const CLIENTS = 32;
const EVERY = 25_000;
const MIB = 2 ** 20;

/** What the server holds after a step, garbage collected and nothing under way. */
interface Look {
  readonly requests: number;
  readonly residentMiB: number;
  readonly heapMiB: number;
  readonly externalMiB: number;
  readonly arrayBuffersMiB: number;
}

/**
 * Asks the full gateway `--requests` times and writes how much memory it has after each step to `--out`:
 * `node bench/ours/long-run.ts --requests 1000000 --cpu 600 --out bench/results/long-run.json`. `--cpu`: seconds of processor time, of the server and of this program together, after
 * which it ends early and says so. No clock is in the result, so a busy machine does no harm. Systems with signals only. Errors: `run/failed` where a request is refused.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      requests: { type: 'string', default: '1000000' },
      cpu: { type: 'string', default: '100000' },
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
  const serve = { models: { m: { file, check: { asGiven: true }, batching } }, timeout: 600_000 };
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
    const result = await run(
      { url, key, count: Number(values.requests), cpu: Number(values.cpu) },
      async () => {
        server.kill('SIGUSR2');
        const { value } = (await said.next()) as { value: string };
        return JSON.parse(value) as NodeJS.MemoryUsage & { readonly cpu: number };
      },
    );
    const text = `${JSON.stringify({ model: name, clients: CLIENTS, every: EVERY, ...result })}\n`;
    if (values.out !== undefined) writeFileSync(values.out, text);
    process.stdout.write(text);
    break;
  }
  server.stdin!.end();
}

/** Asks in steps; `look` after each. */
async function run(
  {
    url,
    key,
    count,
    cpu,
  }: { readonly url: string; readonly key: string; readonly count: number; readonly cpu: number },
  look: () => Promise<NodeJS.MemoryUsage & { readonly cpu: number }>,
) {
  const { hostname, port } = new URL(url);
  const requests = bodies().map((body) => requestOf(body, headersFor('binary', key), hostname));
  const ask = { port: Number(port), hostname, requests };
  const looks: Look[] = [];
  let [asked, late] = [0, 0];
  for (;;) {
    const seen = await look();
    looks.push({
      requests: asked,
      residentMiB: mebibytes(seen.rss),
      heapMiB: mebibytes(seen.heapUsed),
      externalMiB: mebibytes(seen.external),
      arrayBuffersMiB: mebibytes(seen.arrayBuffers),
    });
    const own = process.cpuUsage();
    const used = seen.cpu + (own.user + own.system) / 1e6;
    console.error(JSON.stringify(looks.at(-1)), `${used.toFixed(0)} s`);
    if (asked >= count || used > cpu) return { requests: asked, late, cpuSeconds: Math.round(used), looks };
    const amount = Math.min(EVERY, count - asked);
    const step = { left: amount, late: 0 };
    await Promise.all(Array.from({ length: CLIENTS }, () => client(ask, step)));
    late += step.late;
    asked += amount;
  }
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
