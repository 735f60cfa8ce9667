import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { GlacisError } from '../../src/core/error.ts';
import { randomFrom } from '../../src/core/random.ts';
import { encodeInferRequest } from '../../src/oip/index.ts';
import { median } from '../median.ts';
import type { BenchOptions } from '../options.ts';
import { BENCH, CACHE, SHARED } from '../places.ts';

const FOLDER = join(CACHE, 'gateway');
/** Different requests that a load cycles through. */
const BODIES = 64;

/** A model under load. */
interface Network {
  readonly name: string;
  readonly file: string;
  readonly input: string;
  readonly shape: readonly number[];
  /** Share of the bare server's throughput that the full one must keep. */
  readonly wanted: number;
}

const NETWORKS: readonly Network[] = [
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

const CLIENTS = [1, 16, 128] as const;
const FORMATS = ['binary', 'json'] as const;
type Format = (typeof FORMATS)[number];

/** One measured load. */
interface Load {
  readonly requestsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly errors: number;
}

/** What one mode did under one load, over the rounds. */
interface Measured {
  readonly mode: string;
  readonly loads: readonly Load[];
  /** CPU milliseconds of the server for a request. */
  readonly cpu: number;
}

/**
 * Loads two servers in turn, over loopback and from another process (`wrk`, whose own cost is small): the full gateway and the same faces and runtime with nothing
 * between. Both machines' cores are shared by server and load, alike on both sides.
 */
export async function gatewaySuite(
  options: BenchOptions,
  progress: (text: string) => void,
): Promise<readonly GatewayRow[]> {
  if (spawnSync('wrk', ['--version']).error)
    throw new GlacisError('run/failed', 'wrk: expected it to be installed (Debian: apt-get install wrk)');
  mkdirSync(FOLDER, { recursive: true });
  const seconds = options.quick ? 2 : 6;
  const rows: GatewayRow[] = [];
  for (const network of NETWORKS.filter(({ name }) => (options.network ?? name) === name)) {
    if (!existsSync(network.file))
      throw new GlacisError(
        'model/unreadable',
        `${network.file}: expected it; run bench/peers/setup.sh first`,
      );
    for (const format of FORMATS.filter((each) => (options.mode ?? each) === each)) {
      writeBodies(network, format);
      for (const clients of CLIENTS) {
        progress(`${network.name}, ${format}, ${clients} clients`);
        const sides = await inTurn(['bare', 'full'], options.rounds, (mode) =>
          underLoad(mode, network, format, { clients, seconds }),
        );
        const [bare, full] = [sides.get('bare')!, sides.get('full')!];
        const share = median(
          full.loads.map((load, i) => load.requestsPerSecond / bare.loads[i]!.requestsPerSecond),
        );
        rows.push({ network: network.name, format, clients, wanted: network.wanted, share, bare, full });
        progress(
          `  ${(100 * share).toFixed(1)} % of ${median(bare.loads.map((l) => l.requestsPerSecond)).toFixed(0)} requests/s`,
        );
      }
    }
  }
  return rows;
}

/** Full beside bare. */
export interface GatewayRow {
  readonly network: string;
  readonly format: Format;
  readonly clients: number;
  readonly wanted: number;
  readonly share: number;
  readonly bare: Measured;
  readonly full: Measured;
}

async function inTurn(
  modes: readonly string[],
  rounds: number,
  run: (mode: string) => Promise<{ readonly load: Load; readonly cpu: number }>,
): Promise<ReadonlyMap<string, Measured>> {
  const all = new Map(modes.map((mode) => [mode, { loads: [] as Load[], cpu: [] as number[] }]));
  for (let round = 0; round < rounds; round++)
    for (const mode of modes) {
      const { load, cpu } = await run(mode);
      all.get(mode)!.loads.push(load);
      all.get(mode)!.cpu.push(cpu);
    }
  return new Map([...all].map(([mode, { loads, cpu }]) => [mode, { mode, loads, cpu: median(cpu) }]));
}

async function underLoad(
  mode: string,
  { file }: Network,
  format: Format,
  { clients, seconds }: { readonly clients: number; readonly seconds: number },
): Promise<{ readonly load: Load; readonly cpu: number }> {
  const server = spawn(
    process.execPath,
    [join(BENCH, 'ours', 'gateway.ts'), '--mode', mode, '--model', file],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  ) as unknown as ChildProcessWithoutNullStreams;
  try {
    const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
    const ready = JSON.parse((await lines.next()).value as string) as { rest: string; key: string };
    wrk(ready, format, { clients, seconds: 4 });
    const before = cpuOf(server.pid!);
    const load = wrk(ready, format, { clients, seconds });
    const used = cpuOf(server.pid!) - before;
    return { load, cpu: used / Math.max(1, load.requestsPerSecond * seconds) };
  } finally {
    server.stdin.end();
    await new Promise((done) => server.once('exit', done));
  }
}

/** CPU milliseconds that a process and its threads have used. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function wrk(
  { rest, key }: { readonly rest: string; readonly key: string },
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

/** Requests in rotation, and figures in one line; latencies in milliseconds. */
function luaFor(format: Format, key: string): string {
  const length = format === 'binary' ? readFileSync(join(FOLDER, 'json-length'), 'utf8') : '';
  const headers = [
    `["Authorization"]="Bearer ${key}"`,
    `["Content-Type"]="${format === 'binary' ? 'application/octet-stream' : 'application/json'}"`,
    ...(length === '' ? [] : [`["Inference-Header-Content-Length"]="${length}"`]),
  ];
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
function writeBodies({ input, shape }: Network, format: Format): void {
  const size = shape.reduce((product, d) => product * d, 1);
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
