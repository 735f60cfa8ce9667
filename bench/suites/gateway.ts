import { join } from 'node:path';
import { median } from '../median.ts';
import type { BenchOptions } from '../options.ts';
import { BENCH } from '../places.ts';
import { passlessGuards, type Verdicts, verdictsOf } from './load-guards.ts';
import { FORMATS, type Format, type Network, writeBodies } from './request-bodies.ts';
import { type Load, measureLoad, networksToLoad, withServer } from './wrk-load.ts';

const CLIENTS = [1, 16, 128] as const;

/** What one mode did under one load, over the rounds. */
export interface Measured {
  readonly mode: string;
  readonly loads: readonly Load[];
  /** CPU milliseconds of the server for a request. */
  readonly cpu: number;
}

/** The full gateway beside the bare one. */
export interface GatewayRow {
  readonly network: string;
  readonly format: Format;
  readonly clients: number;
  /** `plain`: the guard of plain values alone; `calibrated`: every guard that needs no further pass of the model. */
  readonly guards: 'plain' | 'calibrated';
  readonly wanted: number;
  readonly share: number;
  readonly bare: Measured;
  readonly full: Measured;
  /** What the full one's guards said of the requests of the last round, those of the warming up included. */
  readonly verdicts: Verdicts;
}

/**
 * Loads three servers in turn, over loopback and from another process (`wrk`, whose own cost is small, or a client of gRPC, whose cost is not): the same faces and runtime with nothing
 * between, the full gateway with the guard of plain values, and the full gateway with every guard that needs no further pass. Both machines' cores are shared by server and load,
 * alike on all sides.
 */
export async function gatewaySuite(
  options: BenchOptions,
  progress: (text: string) => void,
): Promise<readonly GatewayRow[]> {
  const rows: GatewayRow[] = [];
  for (const network of networksToLoad(options.network)) {
    const guards = { plain: {}, calibrated: { guards: await passlessGuards(network) } };
    for (const format of FORMATS.filter((each) => (options.mode ?? each) === each)) {
      writeBodies(network, format);
      for (const clients of CLIENTS) {
        progress(`${network.name}, ${format}, ${clients} clients`);
        for (const row of await rowsOf(network, { format, clients, guards, options })) {
          rows.push(row);
          const rates = row.bare.loads.map((load) => load.requestsPerSecond);
          progress(
            `  ${row.guards}: ${(100 * row.share).toFixed(1)} % of ${median(rates).toFixed(0)} requests/s`,
          );
        }
      }
    }
  }
  return rows;
}

async function rowsOf(
  network: Network,
  {
    format,
    clients,
    guards,
    options,
  }: {
    readonly format: Format;
    readonly clients: number;
    readonly guards: Readonly<Record<GatewayRow['guards'], object>>;
    readonly options: BenchOptions;
  },
): Promise<readonly GatewayRow[]> {
  const setting = { network, format, clients, seconds: options.quick ? 2 : 6 };
  const said = new Map<string, Verdicts>();
  const sides = await inTurn(['bare', 'plain', 'calibrated'], options.rounds, (mode) => {
    const program =
      mode === 'bare'
        ? gatewayProgram(network.file, 'bare')
        : gatewayProgram(network.file, 'full', guards[mode as GatewayRow['guards']]);
    return withServer(program, async (ready, pid) => {
      const measured = measureLoad(ready, pid, setting);
      if (mode !== 'bare') said.set(mode, await verdictsOf(ready));
      return measured;
    });
  });
  const bare = sides.get('bare')!;
  return (['plain', 'calibrated'] as const).map((each) => {
    const full = sides.get(each)!;
    const shares = full.loads.map((load, i) => load.requestsPerSecond / bare.loads[i]!.requestsPerSecond);
    const about = { network: network.name, format, clients, guards: each, wanted: network.wanted };
    return { ...about, share: median(shares), bare, full, verdicts: said.get(each)! };
  });
}

/** The command of our own server; `serve` changes the configuration of the full one. */
export function gatewayProgram(file: string, mode: string, serve?: object): [string, ...string[]] {
  const own = serve === undefined ? [] : ['--serve', JSON.stringify(serve)];
  return [process.execPath, join(BENCH, 'ours', 'gateway.ts'), '--mode', mode, '--model', file, ...own];
}

/** Runs every side once a round, one after the other. */
export async function inTurn(
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
