import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { GlacisError } from '../../src/core/error.ts';
import { BENCH } from '../places.ts';
import { bodyFiles, type Format, headersFor, LOADS, NETWORKS, type Network } from './request-bodies.ts';

/** Seconds before anything is counted: after ten thousand requests everything is compiled once more, which takes two or three. */
const WARM = 8;

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
  readonly grpc: string;
  /** Where a guarded one is managed. */
  readonly management?: string;
  readonly key: string;
}

/** The networks that are asked for, once their files are there. Errors: `run/failed`, `model/unreadable`. */
export function networksToLoad(only: string | undefined): readonly Network[] {
  if (spawnSync('wrk', ['--version']).error)
    throw new GlacisError('run/failed', 'wrk: expected it to be installed (Debian: apt-get install wrk)');
  mkdirSync(LOADS, { recursive: true });
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

/** What a load is. */
export interface LoadSetting {
  readonly network: Network;
  readonly format: Format;
  readonly clients: number;
  readonly seconds: number;
}

/** Warms up, loads, and gives the figures with the CPU milliseconds of the server for a request. */
export function measureLoad(
  ready: Ready,
  pid: number,
  setting: LoadSetting,
): { readonly load: Load; readonly cpu: number } {
  const asked = setting.format === 'grpc' ? grpc : wrk;
  asked(ready, { ...setting, seconds: WARM });
  const before = cpuOf(pid);
  const load = asked(ready, setting);
  const used = cpuOf(pid) - before;
  return { load, cpu: used / Math.max(1, load.requestsPerSecond * setting.seconds) };
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

function wrk(ready: Ready, { network, format, clients, seconds }: LoadSetting): Load {
  const script = join(LOADS, 'load.lua');
  writeFileSync(script, luaFor(network, format, ready.key));
  const run = spawnSync(
    'wrk',
    [
      '-t1',
      `-c${clients}`,
      `-d${seconds}s`,
      '-s',
      script,
      '--timeout',
      '10s',
      `${ready.rest}/v2/models/m/infer`,
    ],
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

/** The same by a client of gRPC in a process of its own. */
function grpc({ grpc: target, key }: Ready, { network, clients, seconds }: LoadSetting): Load {
  const args = ['--target', target, '--key', key, '--network', network.name];
  const run = spawnSync(
    process.execPath,
    [
      join(BENCH, 'ours', 'grpc-load.ts'),
      ...args,
      '--clients',
      String(clients),
      '--seconds',
      String(seconds),
    ],
    { encoding: 'utf8' },
  );
  if (run.status !== 0) throw new GlacisError('run/failed', `load: ${run.stderr}`);
  return JSON.parse(run.stdout) as Load;
}

/** Requests in rotation, and figures in one line; latencies in milliseconds. */
function luaFor(network: Network, format: Format, key: string): string {
  const headers = Object.entries(headersFor(network, format, key)).map(
    ([name, value]) => `["${name}"]="${value}"`,
  );
  const files = bodyFiles(network, format);
  return `
local requests, at, count = {}, 0, 0
init = function(args)
  local all = io.open("${files.bodies}", "rb")
  for length in io.lines("${files.lengths}") do
    requests[count] = wrk.format("POST", nil, { ${headers.join(', ')} }, all:read(tonumber(length)))
    count = count + 1
  end
  all:close()
end
request = function()
  at = (at + 1) % count
  return requests[at]
end
done = function(summary, latency, _)
  local e = summary.errors
  io.write(string.format("RESULT %.2f %.3f %.3f %d\\n", summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, e.status + e.connect + e.read + e.write + e.timeout))
end
`;
}
