import type { HostTensor } from '../../runtime/array.ts';
import { featureRows, type Piece } from './job.ts';
import type { Ports } from './ports.ts';
import { gathered, hosted, type Rows, scattered, unhosted } from './rows.ts';
import { runBuffers } from './run-buffers.ts';

/** Most bytes of inputs in one run, unless a single row has more. */
export const MOST_RUN_BYTES = 64 * 2 ** 20;

/** What a run stands on. */
export interface Running {
  readonly ports: Ports;
  /** The output that holds features, and their number. */
  readonly features?: { readonly output: string; readonly length: number } | undefined;
  run(
    lane: number,
    feeds: Readonly<Record<string, HostTensor>>,
    fetches: readonly string[],
  ): Promise<Readonly<Record<string, HostTensor>>>;
}

/**
 * Runs rows of several requests as one: they are put together in shared memory that is used again, and each gets its rows of the answer. `answered` hears of each piece that has
 * its outputs. Errors: those of the run; where the model gave another number of rows than it was asked for.
 */
export function pieceRunner(
  { ports, features, run }: Running,
  answered: (piece: Piece) => void,
): (lane: number, pieces: readonly Piece[], rows: number) => Promise<void> {
  const whole = ports.rows === undefined;
  const names = ports.outputs.map(({ name }) => name);
  const withFeatures = features ? [...names, features.output] : names;
  const buffers = runBuffers(MOST_RUN_BYTES);

  return async (lane, pieces, rows) => {
    const total = typeof ports.rows === 'number' ? ports.rows : rows;
    const feeds: Record<string, HostTensor> = {};
    const taken: SharedArrayBuffer[] = [];
    const take = (bytes: number): SharedArrayBuffer => {
      const buffer = buffers.take(bytes);
      taken.push(buffer);
      return buffer;
    };
    for (const [i, { name }] of ports.inputs.entries()) {
      const parts = pieces.map(({ job, from, rows }): Rows => ({ tensor: job.inputs[i]!, from, rows }));
      feeds[name] = whole ? hosted(parts[0]!.tensor) : gathered(parts, total, take);
    }
    const wanted = features && pieces.some(({ job }) => job.options.features);
    let results: Readonly<Record<string, HostTensor>>;
    try {
      results = await run(lane, feeds, wanted ? withFeatures : names);
    } finally {
      for (const buffer of taken) buffers.giveBack(buffer);
    }
    if (!whole)
      for (const { name } of ports.outputs)
        if (results[name]?.dims[0] !== total)
          throw new Error(`output ${name}: expected ${total} rows, got [${results[name]?.dims.join(', ')}]`);
    let at = 0;
    for (const piece of pieces) {
      piece.outputs = ports.outputs.map((port) =>
        whole ? unhosted(port, results[port.name]!) : scattered(port, results[port.name]!, at, piece.rows),
      );
      if (wanted && piece.job.options.features)
        piece.features = featureRows(results[features.output]!, at, whole ? undefined : piece.rows, total);
      at += piece.rows;
      answered(piece);
    }
  };
}
