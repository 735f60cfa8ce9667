import type { Rng } from '../../core/random.ts';
import { ARRAYS, type Datatype, isFloatDatatype } from '../../oip/datatype.ts';
import { floatsOf, type Tensor } from '../../oip/tensor.ts';
import { elementCount, toBfloat16Bits, toFloat16Bits } from '../../onnx/tensor.ts';
import type { Port, Ports } from './ports.ts';
import { joinedRows, rowsOf } from './rows.ts';

/** Runs the model once on inputs in the ports' order, and gives the outputs in theirs. `n`: rows. */
export type RunOnce = (inputs: readonly Tensor[], n: number) => Promise<readonly Tensor[]>;

/** What a model shows when it is run. */
export interface Probed {
  /** Whether the first axis of everything counts samples that do not influence each other: they may then be cut and joined. */
  readonly separate: boolean;
  /** Whether the first axis of the outputs has the rows of the inputs. */
  readonly rowed: boolean;
  /** The outputs of the first run, `undefined` where none succeeded. */
  readonly outputs?: ReadonlyMap<string, Tensor>;
  /** Rows of that run. */
  readonly rows: number;
  /** Why it could not be run. */
  readonly because?: string;
}

/** Sizes that are tried for axes that the file leaves open. */
const OPEN_SIZES = [8, 32, 1, 64, 224] as const;
/** Rows of the first run. */
const ROWS = 3;
/** How far two floats may be apart, relative to 1 + their size: other kernels run on other batch sizes. */
const CLOSE = 1e-4;

/**
 * Runs a model on random inputs before anybody waits for it, which warms it up and tells what its file does not: whether the outputs have a row for each sample, and
 * whether a sample's answer depends on those beside it, as it does with batch statistics or a scale that is found over the whole input. Where it does, rows of
 * different callers must never run together: one would see the other. Cost: four runs of up to three samples.
 */
export async function probe(ports: Ports, run: RunOnce, rng: Rng): Promise<Probed> {
  const open = ports.inputs.some(({ shape }) => shape.slice(1).includes(-1));
  let because: unknown;
  for (const size of open ? OPEN_SIZES : OPEN_SIZES.slice(0, 1)) {
    try {
      return await probeAt(ports, run, rng, size);
    } catch (thrown) {
      because ??= thrown;
    }
  }
  const said = because instanceof Error ? because.message : String(because);
  return { separate: false, rowed: false, rows: ROWS, because: said };
}

async function probeAt(ports: Ports, run: RunOnce, rng: Rng, size: number): Promise<Probed> {
  const rows = typeof ports.rows === 'number' ? ports.rows : ROWS;
  const first = ports.inputs.map((port) => randomTensor(port, rows, size, rng));
  const ask = async (inputs: readonly Tensor[], n: number): Promise<ReadonlyMap<string, Tensor>> =>
    new Map((await run(inputs, n)).map((tensor) => [tensor.name, tensor]));
  const outputs = await ask(first, rows);
  const known = { outputs, rows };
  const rowed = [...outputs.values()].every(({ shape }) => shape[0] === rows);
  if (ports.rows === undefined || !rowed) return { ...known, rowed: false, separate: false };
  if (ports.rows === 1) return { ...known, rowed, separate: true };
  // The same sample in other company: alone or, where the number of rows is fixed, beside others.
  const others = ports.inputs.map((port) => randomTensor(port, rows, size, rng));
  const total = ports.rows === 'any' ? undefined : rows;
  for (const row of [0, rows - 1]) {
    const again = await ask(
      first.map((tensor, i) => {
        const one = rowsOf(tensor, row, 1);
        return total === undefined ? one : joinedRows([one, rowsOf(others[i]!, 1, total - 1)]);
      }),
      total ?? 1,
    );
    for (const [name, before] of outputs)
      if (!sameRow(before, row, again.get(name)!, 0, rows))
        return { ...known, rowed: again.get(name)!.shape[0] === (total ?? 1), separate: false };
  }
  return { ...known, rowed, separate: true };
}

function sameRow(a: Tensor, row: number, b: Tensor, other: number, rows: number): boolean {
  const width = a.data.length / rows;
  if (b.data.length < (other + 1) * width || b.data.length / b.shape[0]! !== width) return false;
  if (a.datatype === 'BYTES')
    return a.data
      .slice(row * width, (row + 1) * width)
      .every((text, i) => Buffer.compare(text, (b.data as readonly Uint8Array[])[other * width + i]!) === 0);
  const [x, y] = [floatsOf(a), floatsOf(b)];
  const near = isFloatDatatype(a.datatype)
    ? CLOSE * (a.datatype === 'FP32' || a.datatype === 'FP64' ? 1 : 100)
    : 0;
  for (let i = 0; i < width; i++) {
    const [one, two] = [x[row * width + i]!, y[other * width + i]!];
    if (!(Object.is(one, two) || Math.abs(one - two) <= near * (1 + Math.abs(one)))) return false;
  }
  return true;
}

/** Floats in [0, 1), whole numbers 0 and 1, one-letter texts. */
function randomTensor({ name, datatype, shape }: Port, rows: number, size: number, rng: Rng): Tensor {
  const dims = shape.map((dim, axis) => (axis === 0 && dim === -1 ? rows : dim === -1 ? size : dim));
  const count = elementCount(dims);
  const element = elementFor(datatype, rng);
  if (datatype === 'BYTES')
    return {
      name,
      datatype,
      shape: dims,
      data: Array.from({ length: count }, () => Buffer.from(rng.uniform() < 0.5 ? 'a' : 'b')),
    };
  const data = new ARRAYS[datatype](count);
  for (let i = 0; i < count; i++) data[i] = element();
  return { name, datatype, shape: dims, data } as Tensor;
}

function elementFor(datatype: Datatype, rng: Rng): () => never {
  const value = ((): (() => number | bigint) => {
    switch (datatype) {
      case 'FP32':
      case 'FP64':
        return () => rng.uniform();
      case 'FP16':
        return () => toFloat16Bits(rng.uniform());
      case 'BF16':
        return () => toBfloat16Bits(rng.uniform());
      case 'INT64':
      case 'UINT64':
        return () => (rng.uniform() < 0.5 ? 0n : 1n);
      default:
        return () => (rng.uniform() < 0.5 ? 0 : 1);
    }
  })();
  return value as () => never;
}
