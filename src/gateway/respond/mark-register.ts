import { type FileHandle, open } from 'node:fs/promises';
import { asGlacisError, GlacisError } from '../../core/error.ts';
import { elementCount } from '../../onnx/tensor.ts';
import type { Mark } from '../output-guard.ts';
import type { MarkedSample } from './theft.ts';

const SCHEMA = 'glacis.mark/1';
/** Marks that wait to be written. */
const MOST_WAITING = 1000;
/** Marks that are remembered, so that each cell of a principal is written once. */
const MOST_KNOWN = 100_000;
const MOST_ELEMENTS = 2 ** 26;

/** The model whose answers are marked, and how. */
export interface MarkedModel {
  readonly digest: string;
  readonly sampleDims: readonly number[];
  readonly classes: number;
  readonly rate: number;
}

/** Writes down which inputs were marked for whom. */
export interface MarkRegister {
  /** Never throws and never waits; what cannot be written is counted, and `failed` hears of it once. */
  note(mark: Mark, model: MarkedModel): void;
  readonly lost: () => number;
  /** Writes what waits. */
  close(): Promise<void>;
}

/** A line of the register. */
export interface RegisteredMark extends MarkedSample, MarkedModel {
  readonly at: number;
  readonly principal: string;
}

/**
 * The register of the watermark: a file of JSON lines that only its owner can read, with the inputs themselves, because a proof
 * asks the suspect about them. So it holds what callers sent, about one input in 200 at the usual rate. A cell is written once for
 * each principal, as far as the last 100,000 are remembered. At `mostBytes` it stops, and says so: marks go on, and are lost for
 * the proof. Errors: `output/unwritable`.
 */
export async function openMarkRegister(
  path: string,
  options: {
    readonly mostBytes: number;
    readonly now: () => number;
    readonly failed: (where: string, thrown: unknown) => void;
  },
): Promise<MarkRegister> {
  const { mostBytes, now, failed } = options;
  const known = new Set<string>();
  let waiting: string[] = [];
  let writing: Promise<void> | undefined;
  let [lost, told] = [0, false];
  let file: FileHandle;
  let bytes: number;
  try {
    file = await open(path, 'a', 0o600);
    bytes = (await file.stat()).size;
  } catch (thrown) {
    throw asGlacisError(thrown, 'output/unwritable', path);
  }
  const lose = (count: number, why: unknown) => {
    lost += count;
    if (!told) failed('watermark register', why);
    told = true;
  };
  const write = async () => {
    while (waiting.length > 0) {
      const lines = waiting;
      waiting = [];
      const text = Buffer.from(lines.join(''));
      if (bytes + text.length > mostBytes) {
        lose(
          lines.length,
          new GlacisError('output/unwritable', `${path}: it has reached its ${mostBytes} bytes`),
        );
        continue;
      }
      try {
        await file.appendFile(text);
        bytes += text.length;
      } catch (thrown) {
        lose(lines.length, asGlacisError(thrown, 'output/unwritable', path));
      }
    }
    writing = undefined;
  };
  return {
    note({ principal, cell, from, to, input }, { digest, sampleDims, classes, rate }) {
      const id = `${digest} ${cell} ${principal}`;
      if (known.has(id)) return;
      if (waiting.length >= MOST_WAITING) {
        lose(1, new GlacisError('output/unwritable', `${path}: marks come faster than they can be written`));
        return;
      }
      known.add(id);
      if (known.size > MOST_KNOWN) known.delete(known.values().next().value!);
      const samples = Buffer.from(input.buffer, input.byteOffset, input.byteLength).toString('base64');
      const about = { schema: SCHEMA, at: now(), principal, digest, sampleDims, classes, rate };
      waiting.push(`${JSON.stringify({ ...about, from, to, input: samples })}\n`);
      // Later, so that a round which ends without waiting does not end before it is remembered.
      writing ??= Promise.resolve().then(write);
    },
    lost: () => lost,
    async close() {
      await writing;
      await file.close();
    },
  };
}

/**
 * Reads a register. A last line that was cut off in the middle is left out; any other line that is none is an error. Errors:
 * `data/unreadable`.
 */
export function readMarks(text: string, where: string): readonly RegisteredMark[] {
  const lines = text.split('\n');
  const last = lines.pop();
  return [...lines, ...(last !== undefined && isWhole(last) ? [last] : [])].map((line, i) =>
    markFrom(line, `${where}, line ${i + 1}`),
  );
}

function isWhole(line: string): boolean {
  return line.startsWith('{') && line.endsWith('}');
}

function markFrom(line: string, where: string): RegisteredMark {
  const wrong = (expected: string) =>
    new GlacisError('data/unreadable', `${where}: expected ${expected}, got something else`);
  let value: Readonly<Record<string, unknown>>;
  try {
    value = JSON.parse(line) as typeof value;
  } catch {
    throw wrong('JSON');
  }
  if (typeof value !== 'object' || value === null || value.schema !== SCHEMA)
    throw wrong(`a mark (${SCHEMA})`);
  const { at, principal, digest, sampleDims, classes, rate, from, to, input } = value;
  const isIndex = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;
  if (!Array.isArray(sampleDims) || !sampleDims.every((d) => isIndex(d) && d > 0))
    throw wrong('the shape of a sample');
  const size = elementCount(sampleDims as number[]);
  if (!(size <= MOST_ELEMENTS)) throw wrong('a sample of a size that fits');
  if (!isIndex(classes) || !isIndex(from) || !isIndex(to) || from >= classes || to >= classes || from === to)
    throw wrong('two classes');
  if (typeof rate !== 'number' || !(rate > 0 && rate < 1)) throw wrong('a rate');
  if (
    !isIndex(at) ||
    typeof principal !== 'string' ||
    typeof digest !== 'string' ||
    typeof input !== 'string'
  )
    throw wrong('time, principal, digest and input');
  const bytes = Buffer.from(input, 'base64');
  if (bytes.length !== 4 * size) throw wrong(`${size} elements`);
  const floats = new Float32Array(new Uint8Array(bytes).buffer);
  return { at, principal, digest, sampleDims, classes, rate, from, to, input: floats };
}
