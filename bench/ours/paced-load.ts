import { connect, type Socket } from 'node:net';
import { parseArgs } from 'node:util';
import { GlacisError } from '../../src/core/error.ts';
import { bodiesOf, headersFor, networkNamed } from '../suites/request-bodies.ts';

/** Connections in all: more requests than this are never outstanding. */
const MOST = 256;
/** Seconds that are not counted. */
const WARM = 3;

/**
 * Sends binary requests at fixed times, whether or not the ones before were answered, and prints the latencies, which are counted from when a request would have left, connection or none: a server that stalls
 * cannot hide it. `--url --key --network --rate --seconds`.
 */
async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: { url: text, key: text, network: text, rate: text, seconds: text },
    strict: true,
  });
  const { hostname, port } = new URL(values.url!);
  const [rate, seconds] = [Number(values.rate), Number(values.seconds)];
  const network = networkNamed(values.network!);
  const headers = headersFor(network, 'binary', values.key!);
  const requests = bodiesOf(network, 'binary').map((body) => requestOf(body, headers, hostname));
  const latencies: number[] = [];
  const idle: Socket[] = [];
  const waiting: number[] = [];
  let open = 0;
  let failed = 0;
  const begin = performance.now() + 100;
  const warm = begin + 1000 * WARM;
  let sent = 0;
  const send = (socket: Socket, due: number): void => {
    pending.set(socket, due);
    socket.write(requests[sent++ % requests.length]!);
  };
  const pending = new Map<Socket, number>();
  const connected = (): Socket => {
    const socket = connect(Number(port), hostname);
    socket.setNoDelay(true);
    let held = '';
    let need = -1;
    open++;
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => {
      held += chunk;
      if (need < 0) {
        const end = held.indexOf('\r\n\r\n');
        if (end < 0) return;
        if (!held.startsWith('HTTP/1.1 200')) failed++;
        need = end + 4 + Number(/content-length: (\d+)/i.exec(held)?.[1] ?? 0);
      }
      if (held.length < need) return;
      const due = pending.get(socket)!;
      if (due >= warm) latencies.push(performance.now() - due);
      held = '';
      need = -1;
      const next = waiting.shift();
      if (next === undefined) idle.push(socket);
      else send(socket, next);
    });
    socket.on('error', () => failed++);
    return socket;
  };
  const count = Math.floor(rate * seconds);
  for (let i = 0; i < count; ) {
    const now = performance.now();
    // Waiting without spinning: the cores are the server's. What is due within a millisecond leaves together.
    if (now < begin + (1000 * i) / rate) {
      await new Promise((done) => setTimeout(done, 1));
      continue;
    }
    const due = now;
    const socket = idle.pop();
    if (socket) send(socket, due);
    else if (open < MOST) send(connected(), due);
    else waiting.push(due);
    i++;
  }
  await new Promise((done) => setTimeout(done, 500));
  if (failed > 0) throw new GlacisError('run/failed', `${failed} answers were no 200s`);
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor(share * (latencies.length - 1))]!;
  process.stdout.write(
    JSON.stringify({
      requestsPerSecond: latencies.length / (seconds - WARM),
      p50: at(0.5),
      p99: at(0.99),
      errors: 0,
    }),
  );
  process.exit(0);
}

function requestOf(body: Buffer, headers: Readonly<Record<string, string>>, host: string): Buffer {
  const lines = Object.entries({ Host: host, ...headers, 'Content-Length': String(body.length) });
  const head = `POST /v2/models/m/infer HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

await main();
