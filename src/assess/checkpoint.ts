import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { differences } from '../core/differences.ts';
import { GlacisError } from '../core/error.ts';
import { openFile } from '../data/byte-source.ts';
import { type NpyArray, writeAtomically, writeNpz } from '../data/index.ts';
import { openNpz } from '../data/npz.ts';
import type { AttackedExample } from './examples.ts';
import type { CellRecord } from './record.ts';
import type { RunState } from './run-cells.ts';

/** Everything that a result depends on; a checkpoint is taken up only by a run with the same. */
export type RunIdentity = Readonly<Record<string, unknown>>;

/** The checkpoint of one output folder. */
export interface Checkpoint {
  /** Fills `state` from the folder; `false` where there is no checkpoint. Errors: `option/invalid`, `result/invalid`. */
  restore(state: RunState): Promise<boolean>;
  /** Replaces what is in the folder, as a whole or not at all. Errors: `output/unwritable`. */
  save(state: RunState): Promise<void>;
  /** Removes it, once the results are written. */
  clear(): Promise<void>;
}

const SCHEMA = 'glacis.checkpoint/1';
const INDEX = 'checkpoint.json';
/** Two data files take turns, so that the index always names a whole one. */
const DATA = ['checkpoint-a.npz', 'checkpoint-b.npz'] as const;

interface StoredCell {
  readonly queries: number;
  readonly gradientQueries: number;
  readonly seconds: number;
  readonly refused: number;
  readonly current: number | null;
  readonly examples: readonly Omit<AttackedExample, 'clean' | 'adversarial'>[];
}

interface Stored {
  readonly schema: typeof SCHEMA;
  readonly identity: RunIdentity;
  readonly data: (typeof DATA)[number];
  readonly digest: string;
  readonly cleanDone: number;
  readonly cells: readonly StoredCell[];
  readonly corruption?: { readonly finished: number; readonly queries: number; readonly seconds: number };
}

/**
 * A checkpoint in `folder`: an index (JSON) and the arrays (.npz), whose digest the index holds. Random draws belong to samples,
 * so a run that goes on from it gives the same results as one that was never stopped.
 */
export function checkpointIn(folder: string, identity: RunIdentity): Checkpoint {
  let turn = 0;
  return {
    async restore(state) {
      const stored = await readIndex(folder);
      if (!stored) return false;
      const differing = differences(stored.identity, identity);
      if (differing.length > 0)
        throw new GlacisError(
          'option/invalid',
          `--resume: expected the run that left ${join(folder, INDEX)}, got another one (${differing.join(', ')} differ); give the same options, or another --out`,
        );
      await fill(state, stored, join(folder, stored.data));
      turn = 1 - DATA.indexOf(stored.data);
      return true;
    },
    async save(state) {
      const data = DATA[turn]!;
      const path = join(folder, data);
      await writeNpz(path, arraysOf(state));
      const index: Stored = {
        schema: SCHEMA,
        identity,
        data,
        digest: digestOf(await readFile(path)),
        cleanDone: state.clean.done,
        ...(state.corruption && {
          corruption: {
            finished: state.corruption.finished,
            queries: state.corruption.queries,
            seconds: state.corruption.seconds,
          },
        }),
        cells: state.cells.map(({ record, examples, current }) => ({
          queries: record.queries,
          gradientQueries: record.gradientQueries,
          seconds: record.seconds,
          refused: record.refused,
          current: current?.start ?? null,
          examples: examples.map(({ clean: _c, adversarial: _a, ...rest }) => rest),
        })),
      };
      await writeAtomically(join(folder, INDEX), (write) => write(Buffer.from(JSON.stringify(index))));
      turn = 1 - turn;
    },
    async clear() {
      for (const name of [INDEX, ...DATA]) await rm(join(folder, name), { force: true });
    },
  };
}

async function readIndex(folder: string): Promise<Stored | undefined> {
  const path = join(folder, INDEX);
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw new GlacisError('result/invalid', `${path}: cannot be read: ${cause.message}`, { cause });
  });
  if (text === undefined) return undefined;
  try {
    const stored = JSON.parse(text) as Stored;
    if (stored.schema === SCHEMA && (DATA as readonly string[]).includes(stored.data)) return stored;
  } catch {
    // Said below.
  }
  throw damaged(path);
}

function damaged(path: string): GlacisError {
  return new GlacisError(
    'result/invalid',
    `${path}: expected a checkpoint of this version, got something else; start again without --resume`,
  );
}

const ROWS = ['prediction', 'success', 'distance', 'decided', 'asked', 'took', 'by'] as const;
/** Arrays of a chunk that was interrupted. */
const OPEN = ['x', 'decided', 'asked', 'took', 'by', 'parameters', 'shared'] as const;

function arraysOf({ clean, cells, corruption }: RunState): Record<string, NpyArray> {
  const flat = (data: NpyArray['data']): NpyArray => ({ data, shape: [data.length] });
  const arrays: Record<string, NpyArray> = {
    clean_prediction: flat(clean.prediction),
    clean_correct: flat(clean.correct),
    ...(clean.targets && { clean_targets: flat(clean.targets) }),
  };
  if (corruption) {
    arrays.corruption_clean = flat(corruption.cleanWrong);
    for (const [i, wrong] of corruption.wrong.entries()) arrays[`corruption${i}_wrong`] = flat(wrong);
  }
  for (const [i, { record, examples, current }] of cells.entries()) {
    for (const key of ROWS) arrays[`cell${i}_${key}`] = flat(record[key]);
    if (current) for (const key of OPEN) arrays[`cell${i}_current_${key}`] = flat(current[key]);
    for (const [j, example] of examples.entries()) {
      arrays[`cell${i}_example${j}_clean`] = flat(example.clean);
      arrays[`cell${i}_example${j}_adversarial`] = flat(example.adversarial);
    }
  }
  return arrays;
}

async function fill(state: RunState, stored: Stored, path: string): Promise<void> {
  const bytes = await readFile(path).catch(() => undefined);
  // Sound because the digest is checked: these are the bytes that `save` wrote, so keys and types are as it wrote them.
  if (!bytes || digestOf(bytes) !== stored.digest || stored.cells.length !== state.cells.length)
    throw damaged(path);
  const source = await openFile(path);
  try {
    const read = async (key: string) => {
      const { arrays } = await openNpz(source, [key], path, bytes.length);
      const array = arrays[0];
      if (!array) throw damaged(path);
      return array.read(0, array.shape[0]!);
    };
    const into = async (target: CellRecord[(typeof ROWS)[number]], key: string) => {
      const values = await read(key);
      if (values.length !== target.length) throw damaged(path);
      target.set(values as never);
    };
    await into(state.clean.prediction, 'clean_prediction');
    await into(state.clean.correct, 'clean_correct');
    if (state.clean.targets) await into(state.clean.targets, 'clean_targets');
    state.clean.done = stored.cleanDone;
    if (state.corruption && stored.corruption) {
      await into(state.corruption.cleanWrong, 'corruption_clean');
      for (const [i, wrong] of state.corruption.wrong.entries()) await into(wrong, `corruption${i}_wrong`);
      Object.assign(state.corruption, stored.corruption);
    }
    for (const [i, cell] of state.cells.entries()) {
      const { examples, current, queries, gradientQueries, seconds, refused } = stored.cells[i]!;
      for (const key of ROWS) await into(cell.record[key], `cell${i}_${key}`);
      Object.assign(cell.record, { queries, gradientQueries, seconds, refused });
      for (const [j, example] of examples.entries())
        cell.examples.push({
          ...example,
          clean: (await read(`cell${i}_example${j}_clean`)) as Float32Array,
          adversarial: (await read(`cell${i}_example${j}_adversarial`)) as Float32Array,
        });
      if (current !== null)
        cell.current = {
          start: current,
          x: (await read(`cell${i}_current_x`)) as Float32Array,
          decided: (await read(`cell${i}_current_decided`)) as Uint8Array,
          asked: (await read(`cell${i}_current_asked`)) as Int32Array,
          took: (await read(`cell${i}_current_took`)) as Float32Array,
          by: (await read(`cell${i}_current_by`)) as Uint8Array,
          parameters: (await read(`cell${i}_current_parameters`)) as Float32Array,
          shared: (await read(`cell${i}_current_shared`)) as Float32Array,
        };
    }
  } finally {
    await source.close();
  }
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
