import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { GlacisError } from '../../src/core/error.ts';
import { randomFrom } from '../../src/core/random.ts';
import { encodeInferRequest } from '../../src/oip/index.ts';
import { elementCount } from '../../src/onnx/tensor.ts';
import { CACHE, SHARED } from '../places.ts';

const FOLDER = join(CACHE, 'gateway');
/** Different requests that a load cycles through. */
const BODIES = 64;
/** Seconds before anything is counted: after ten thousand requests everything is compiled once more, which takes two or three. */
const WARM = 8;

/** A model under load. */
export interface Network {
  readonly name: string;
  readonly file: string;
  readonly input: string;
  readonly shape: readonly number[];
  /** Share of the bare server's throughput that the full one must keep. */
  readonly wanted: number;
}

/** Models that are put under load. */
export const NETWORKS: readonly Network[] = [
  {
    name: 'mnist-cnn',
    file: join(SHARED, 'models', 'mnist-cnn.onnx'),
    input: 'input',
    shape: [1, 1, 28, 28],
    wanted: 0.7,
  },
  {
    name: 'resnet18',
    file: join(CACHE, 'resnet18.onnx'),
    input: 'input',
    shape: [1, 3, 32, 32],
    wanted: 0.9,
  },
];

/** How tensors travel. */
export const FORMATS = ['binary', 'json'] as const;

/** One of {@link FORMATS}. */
export type Format = (typeof FORMATS)[number];

/** One measured load; latencies in milliseconds. */
export interface Load {
  readonly requestsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly errors: number;
}

/** What a server said when it was ready. */
export interface Ready {
  readonly rest: string;
  readonly key: string;
}

/** The networks that are asked for, once their files are there. Errors: `run/failed`, `model/unreadable`. */
export function networksToLoad(only: string | undefined): readonly Network[] {
  if (spawnSync('wrk', ['--version']).error)
    throw new GlacisError('run/failed', 'wrk: expected it to be installed (Debian: apt-get install wrk)');
  mkdirSync(FOLDER, { recursive: true });
  const networks = NETWORKS.filter(({ name }) => (only ?? name) === name);
  const missing = networks.find(({ file }) => !existsSync(file));
  if (missing)
    throw new GlacisError('model/unreadable', `${missing.file}: expected it; run bench/peers/setup.sh first`);
  return networks;
}

/** Starts a server that prints a line of JSON when it is ready and ends when its input does; gives what `work` does. */
export async function withServer<T>(
  [program, ...args]: readonly [string, ...string[]],
  work: (ready: Ready, pid: number) => Promise<T> | T,
): Promise<T> {
  const server = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
  }) as unknown as ChildProcessWithoutNullStreams;
  try {
    for await (const line of createInterface({ input: server.stdout }))
      if (line.startsWith('{"') && line.includes('"rest"'))
        return await work(JSON.parse(line) as Ready, server.pid!);
    throw new GlacisError('run/failed', `${program}: expected a server, it ended`);
  } finally {
    server.stdin.end();
    if (server.exitCode === null) await new Promise((done) => server.once('exit', done));
  }
}

/** Warms up, loads, and gives the figures with the CPU milliseconds of the server for a request. */
export function measureLoad(
  ready: Ready,
  pid: number,
  format: Format,
  { clients, seconds }: { readonly clients: number; readonly seconds: number },
): { readonly load: Load; readonly cpu: number } {
  wrk(ready, format, { clients, seconds: WARM });
  const before = cpuOf(pid);
  const load = wrk(ready, format, { clients, seconds });
  const used = cpuOf(pid) - before;
  return { load, cpu: used / Math.max(1, load.requestsPerSecond * seconds) };
}

/** CPU milliseconds that a process, its threads and its children have used. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
  const own = (Number(fields[11]) + Number(fields[12])) * 10;
  return children.reduce((sum, child) => sum + cpuOf(child), own);
}

function wrk(
  { rest, key }: Ready,
  format: Format,
  { clients, seconds }: { readonly clients: number; readonly seconds: number },
): Load {
  const script = join(FOLDER, 'load.lua');
  writeFileSync(script, luaFor(format, key));
  const run = spawnSync(
    'wrk',
    ['-t1', `-c${clients}`, `-d${seconds}s`, '-s', script, '--timeout', '10s', `${rest}/v2/models/m/infer`],
    { encoding: 'utf8' },
  );
  const found = /RESULT (\S+) (\S+) (\S+) (\S+)/.exec(run.stdout);
  if (!found) throw new GlacisError('run/failed', `wrk: ${run.stdout}${run.stderr}`);
  const [requestsPerSecond, p50, p99, errors] = found.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
  ];
  if (errors > 0) throw new GlacisError('run/failed', `wrk: ${errors} answers were no 200s`);
  return { requestsPerSecond, p50, p99, errors };
}

/** What a request is sent with, beside its body. */
export function headersFor(format: Format, key: string): Readonly<Record<string, string>> {
  const length = format === 'binary' ? readFileSync(join(FOLDER, 'json-length'), 'utf8') : '';
  return {
    Authorization: `Bearer ${key}`,
    'Content-Type': format === 'binary' ? 'application/octet-stream' : 'application/json',
    ...(length !== '' && { 'Inference-Header-Content-Length': length }),
  };
}

/** The bodies that {@link writeBodies} wrote. */
export function bodies(): readonly Buffer[] {
  return Array.from({ length: BODIES }, (_, i) => readFileSync(join(FOLDER, `body-${i}`)));
}

/** Requests in rotation, and figures in one line; latencies in milliseconds. */
function luaFor(format: Format, key: string): string {
  const headers = Object.entries(headersFor(format, key)).map(([name, value]) => `["${name}"]="${value}"`);
  return `
local requests, at = {}, 0
init = function(args)
  for i = 0, ${BODIES - 1} do
    local f = io.open("${FOLDER}/body-" .. i, "rb")
    requests[i] = wrk.format("POST", nil, { ${headers.join(', ')} }, f:read("*a"))
    f:close()
  end
end
request = function()
  at = (at + 1) % ${BODIES}
  return requests[at]
end
done = function(summary, latency, _)
  local e = summary.errors
  io.write(string.format("RESULT %.2f %.3f %.3f %d\\n", summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, e.status + e.connect + e.read + e.write + e.timeout))
end
`;
}

/** Inputs that differ, written once: random numbers, no two alike. */
export function writeBodies({ input, shape }: Network, format: Format): void {
  const size = elementCount(shape);
  mkdirSync(FOLDER, { recursive: true });
  for (let i = 0; i < BODIES; i++) {
    const rng = randomFrom(i, 'gateway bench');
    const data = Float32Array.from({ length: size }, () => Math.round(rng.uniform() * 255) / 255);
    const { body, headers } = encodeInferRequest(
      { inputs: [{ name: input, datatype: 'FP32', shape, data }], binaryOutput: format === 'binary' },
      { binary: format === 'binary' },
    );
    writeFileSync(join(FOLDER, `body-${i}`), body);
    writeFileSync(join(FOLDER, 'json-length'), headers['inference-header-content-length'] ?? '');
  }
}
