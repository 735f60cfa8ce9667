import { join } from 'node:path';
import { median } from '../median.ts';
import type { BenchOptions } from '../options.ts';
import { BENCH } from '../places.ts';
import {
  FORMATS,
  type Format,
  type Load,
  measureLoad,
  networksToLoad,
  withServer,
  writeBodies,
} from './wrk-load.ts';

const CLIENTS = [1, 16, 128] as const;

/** What one mode did under one load, over the rounds. */
export interface Measured {
  readonly mode: string;
  readonly loads: readonly Load[];
  /** CPU milliseconds of the server for a request. */
  readonly cpu: number;
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

/**
 * Loads two servers in turn, over loopback and from another process (`wrk`, whose own cost is small): the full gateway and the same faces and runtime with nothing
 * between. Both machines' cores are shared by server and load, alike on both sides.
 */
export async function gatewaySuite(
  options: BenchOptions,
  progress: (text: string) => void,
): Promise<readonly GatewayRow[]> {
  const networks = networksToLoad(options.network);
  const seconds = options.quick ? 2 : 6;
  const rows: GatewayRow[] = [];
  for (const network of networks)
    for (const format of FORMATS.filter((each) => (options.mode ?? each) === each)) {
      writeBodies(network, format);
      for (const clients of CLIENTS) {
        progress(`${network.name}, ${format}, ${clients} clients`);
        const sides = await inTurn(['bare', 'full'], options.rounds, (mode) =>
          withServer(gatewayProgram(network.file, mode), (ready, pid) =>
            measureLoad(ready, pid, format, { clients, seconds }),
          ),
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
  return rows;
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
