import type { Tensor } from '../../oip/tensor.ts';
import type { HostTensor } from '../../runtime/array.ts';
import type { Refused } from '../refusal.ts';
import type { ModelAnswer, RunOptions } from '../served-model.ts';
import { joinedData, joinedRows } from './rows.ts';

/** A request that waits for its runs. */
export interface Job {
  readonly inputs: readonly Tensor[];
  readonly options: RunOptions;
  readonly came: number;
  readonly bytes: number;
  /** Shapes behind the first axis: only the same run together. */
  readonly kind: string;
  /** Rows handed to runs so far, and answered. */
  taken: number;
  answered: number;
  readonly pieces: Piece[];
  over: boolean;
  readonly resolve: (answer: ModelAnswer) => void;
  readonly reject: (refused: Refused) => void;
}

/** Rows of a job, and what came of them. */
export interface Piece {
  readonly job: Job;
  readonly from: number;
  readonly rows: number;
  outputs?: readonly Tensor[];
  features?: Float32Array | undefined;
}

/** Bytes that an input takes while it waits. */
export function bytesOf(input: Tensor): number {
  return input.datatype === 'BYTES'
    ? input.data.reduce((sum, text) => sum + text.length + 16, 0)
    : input.data.byteLength;
}

/** The answer of a job from its pieces. */
export function joined({ pieces }: Job): ModelAnswer {
  const [first] = pieces;
  if (pieces.length === 1) return { outputs: first!.outputs!, features: first!.features };
  return {
    outputs: first!.outputs!.map((_, i) => joinedRows(pieces.map(({ outputs }) => outputs![i]!))),
    features: first!.features && joinedData(pieces.map(({ features }) => features!)),
  };
}

/** Features of rows from `from` on, of `total`; all of them without `rows`. */
export function featureRows(
  { data }: HostTensor,
  from: number,
  rows: number | undefined,
  total: number,
): Float32Array {
  if (rows === undefined || rows === total) return data as Float32Array;
  const width = data.length / total;
  return data.slice(from * width, (from + rows) * width) as Float32Array;
}
