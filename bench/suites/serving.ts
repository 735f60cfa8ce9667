import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { GlacisError } from '../../src/core/error.ts';
import { KINDS } from '../../src/monitor/index.ts';
import { median } from '../median.ts';
import type { BenchOptions } from '../options.ts';
import { BENCH } from '../places.ts';
import { gatewayProgram, inTurn, type Measured } from './gateway.ts';
import { calibrationFor, passlessGuards } from './load-guards.ts';
import { type Network, writeBodies } from './request-bodies.ts';
import { type Load, measureLoad, networksToLoad, type Ready, withServer } from './wrk-load.ts';

/** One side beside another. */
export interface ServingRow {
  readonly what: string;
  readonly against: string;
  /** Median over the rounds of our rate over theirs. */
  readonly ratio: number;
  readonly wanted: number;
  readonly ours: Measured;
  readonly theirs: Measured;
}

/** Latency beside the same server with nothing between, at the same rate of requests. */
export interface PacedRow {
  readonly what: string;
  readonly perSecond: number;
  readonly bare: Load;
  readonly full: Load;
}

/** All that the suite measured. */
export interface ServingRows {
  readonly rows: readonly ServingRow[];
  readonly paced: readonly PacedRow[];
}

const CLIENTS = [1, 16, 128] as const;
const PEER = join(BENCH, 'peers', 'serving');
/** Ways to set up MLServer; the quickest under the same load is the peer. */
const LAYOUTS = [
  { workers: 0, threads: 1, batch: 1, wait: 0 },
  { workers: 0, threads: 1, batch: 32, wait: 0.001 },
  { workers: 2, threads: 1, batch: 1, wait: 0 },
  { workers: 2, threads: 1, batch: 32, wait: 0.001 },
] as const;
/** What a share of the guarded gateway's rate is left with a costly guard, on 1, 10 and 100 % of the requests. */
const SHARES = [0.01, 0.1, 1] as const;

const WITHOUT_MONITORS = {
  ...Object.fromEntries(KINDS.map(({ name }) => [name, 'off'])),
  sketch: { samples: 0 },
};

/**
 * The guarded gateway beside a Python server of the same protocol that guards nothing; beside itself with costly guards on; and its latency at 60 % of what it can do beside
 * that of the bare server at the same rate.
 */
export async function servingSuite(
  options: BenchOptions,
  progress: (text: string) => void,
): Promise<ServingRows> {
  const python = join(PEER, 'venv', 'bin', 'python');
  if (!existsSync(python))
    throw new GlacisError('run/failed', `${python}: expected Python; run bench/peers/serving/setup.sh first`);
  const seconds = options.quick ? 2 : 6;
  const rows: ServingRow[] = [];
  const latencies: PacedRow[] = [];
  const wants = (mode: string) => (options.mode ?? mode) === mode;
  for (const network of networksToLoad(options.network)) {
    const { name, file } = network;
    if (wants('peer')) {
      writeBodies(network, 'json');
      for (const clients of CLIENTS) {
        const what = `${name}, JSON, ${clients} clients`;
        progress(what);
        const best = await quickest(python, network, clients, progress);
        const programs = { ours: gatewayProgram(file, 'full'), theirs: best.program };
        rows.push(
          await besides(what, best.name, 3, programs, options.rounds, (ready, pid) =>
            measureLoad(ready, pid, { network, format: 'json', clients, seconds }),
          ),
        );
        progress(`  ${rows.at(-1)!.ratio.toFixed(2)} times ${best.name}`);
      }
    }
    if (wants('costs')) {
      writeBodies(network, 'binary');
      for (const { about, serve, wanted } of await costs(network)) {
        const what = `${name}, binary, 16 clients, ${about}`;
        progress(what);
        const programs = { ours: gatewayProgram(file, 'full', serve), theirs: gatewayProgram(file, 'bare') };
        rows.push(
          await besides(what, 'bare', wanted, programs, options.rounds, (ready, pid) =>
            measureLoad(ready, pid, { network, format: 'binary', clients: 16, seconds }),
          ),
        );
        progress(`  ${(100 * rows.at(-1)!.ratio).toFixed(1)} % of bare`);
      }
    }
    if (wants('monitors')) {
      writeBodies(network, 'binary');
      const programs = {
        ours: gatewayProgram(file, 'full'),
        theirs: gatewayProgram(file, 'full', { monitors: WITHOUT_MONITORS }),
      };
      const what = `${name}, binary, 16 clients, monitors`;
      progress(what);
      rows.push(
        await besides(what, 'without them', 0.97, programs, options.rounds, (ready, pid) =>
          measureLoad(ready, pid, { network, format: 'binary', clients: 16, seconds }),
        ),
      );
      progress(`  ${(100 * rows.at(-1)!.ratio).toFixed(1)} % of the rate without`);
    }
    if (wants('latency')) {
      writeBodies(network, 'binary');
      for (const guards of [
        { about: 'input guard', serve: {} },
        { about: 'calibrated guards', serve: { guards: await passlessGuards(network) } },
      ]) {
        latencies.push(await pacedRow(network, guards, { seconds, rounds: options.rounds }));
        const { what, perSecond, bare, full } = latencies.at(-1)!;
        progress(
          `${what}, ${perSecond.toFixed(0)}/s: p50 ${bare.p50.toFixed(2)} → ${full.p50.toFixed(2)} ms, p99 ${bare.p99.toFixed(2)} → ${full.p99.toFixed(2)} ms`,
        );
      }
    }
  }
  return { rows, paced: latencies };
}

async function besides(
  what: string,
  against: string,
  wanted: number,
  programs: { readonly ours: [string, ...string[]]; readonly theirs: [string, ...string[]] },
  rounds: number,
  measure: (ready: Ready, pid: number) => { load: Load; cpu: number },
): Promise<ServingRow> {
  const sides = await inTurn(['ours', 'theirs'], rounds, (mode) =>
    withServer(programs[mode as 'ours' | 'theirs'], measure),
  );
  const [ours, theirs] = [sides.get('ours')!, sides.get('theirs')!];
  const ratio = median(
    ours.loads.map(({ requestsPerSecond }, i) => requestsPerSecond / theirs.loads[i]!.requestsPerSecond),
  );
  return { what, against, ratio, wanted, ours, theirs };
}

/** The peer's best set-up for this load. */
async function quickest(
  python: string,
  network: Network,
  clients: number,
  progress: (text: string) => void,
): Promise<{ readonly name: string; readonly program: [string, ...string[]] }> {
  let best: { name: string; program: [string, ...string[]]; rate: number } | undefined;
  for (const layout of LAYOUTS) {
    const args = Object.entries(layout).flatMap(([key, value]) => [`--${key}`, String(value)]);
    const program: [string, ...string[]] = [python, join(PEER, 'serve.py'), network.file, ...args];
    const name = `MLServer ${args.join(' ')}`;
    try {
      const { load } = await withServer(program, (ready, pid) =>
        measureLoad(ready, pid, { network, format: 'json', clients, seconds: 2 }),
      );
      progress(`  ${name}: ${load.requestsPerSecond.toFixed(0)} requests/s`);
      if (best === undefined || load.requestsPerSecond > best.rate)
        best = { name, program, rate: load.requestsPerSecond };
    } catch (thrown) {
      progress(`  ${name}: ${thrown instanceof Error ? thrown.message : thrown}`);
    }
  }
  if (best === undefined) throw new GlacisError('run/failed', 'MLServer: expected one set-up that answers');
  return best;
}

/** Configurations with guards that ask a model more than once, and the share of bare that they may be expected to leave. */
async function costs(
  network: Network,
): Promise<readonly { readonly about: string; readonly serve: object; readonly wanted: number }[]> {
  const model = () => ({ file: network.file, check: { asGiven: true }, batching: { queue: 100_000 } });
  const calibration = await calibrationFor(network, 'squeezing', ['feature-squeezing']);
  return [
    ...SHARES.map((share) => ({
      about: `feature squeezing on ${100 * share} %`,
      serve: { guards: { calibration, 'feature-squeezing': { share, action: 'flag' } } },
      wanted: 0.9 / (1 + 3 * share),
    })),
    ...SHARES.map((share) => ({
      about: `the same network as second model on ${100 * share} %`,
      serve: {
        models: { m: model(), second: model() },
        verify: { model: 'second', share, action: 'flag' },
      },
      wanted: 0.9 / (1 + share),
    })),
  ];
}

/** Both servers at 60 % of the full one's rate, requests sent at fixed times whatever comes back. */
async function pacedRow(
  network: Network,
  guards: { readonly about: string; readonly serve: object },
  { seconds, rounds }: { readonly seconds: number; readonly rounds: number },
): Promise<PacedRow> {
  const program = {
    bare: gatewayProgram(network.file, 'bare'),
    full: gatewayProgram(network.file, 'full', guards.serve),
  };
  const most = await withServer(program.full, (ready, pid) =>
    measureLoad(ready, pid, { network, format: 'binary', clients: 16, seconds }),
  );
  const perSecond = 0.6 * most.load.requestsPerSecond;
  const of = async (mode: 'bare' | 'full') => {
    const loads: Load[] = [];
    for (let round = 0; round < rounds; round++)
      loads.push(await withServer(program[mode], (ready) => paced(ready, network, perSecond, seconds)));
    const middle = (key: 'p50' | 'p99' | 'requestsPerSecond') => median(loads.map((load) => load[key]));
    return {
      requestsPerSecond: middle('requestsPerSecond'),
      p50: middle('p50'),
      p99: middle('p99'),
      errors: 0,
    };
  };
  const what = `${network.name}, binary, ${guards.about}`;
  return { what, perSecond, bare: await of('bare'), full: await of('full') };
}

function paced(ready: Ready, network: Network, perSecond: number, seconds: number): Load {
  const args = [
    '--url',
    ready.rest,
    '--key',
    ready.key,
    '--network',
    network.name,
    '--rate',
    String(perSecond),
    '--seconds',
    String(seconds + 3),
  ];
  const run = spawnSync(process.execPath, [join(BENCH, 'ours', 'paced-load.ts'), ...args], {
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new GlacisError('run/failed', `load: ${run.stderr}`);
  return JSON.parse(run.stdout) as Load;
}
