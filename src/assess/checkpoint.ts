import type { NpyArray } from '../data/index.ts';
import type { AttackedExample } from './examples.ts';
import type { CellRecord } from './record.ts';
import type { RunState } from './run-cells.ts';
import { flat, type RunIdentity, runStoreIn, type StoredArrays } from './run-store.ts';

/** The checkpoint of one output folder. */
export interface Checkpoint {
  /** Fills `state` from the folder; `false` where there is no checkpoint. Errors: `option/invalid`, `result/invalid`. */
  restore(state: RunState): Promise<boolean>;
  /** Replaces what is in the folder, as a whole or not at all. Errors: `output/unwritable`. */
  save(state: RunState): Promise<void>;
  /** Removes it, once the results are written. */
  clear(): Promise<void>;
}

const STORE = { name: 'checkpoint', schema: 'glacis.checkpoint/1' } as const;

interface StoredCell {
  readonly queries: number;
  readonly gradientQueries: number;
  readonly seconds: number;
  readonly refused: number;
  readonly current: number | null;
  readonly examples: readonly Omit<AttackedExample, 'clean' | 'adversarial'>[];
}

interface Stored {
  readonly cleanDone: number;
  readonly cells: readonly StoredCell[];
  readonly corruption?: { readonly finished: number; readonly queries: number; readonly seconds: number };
}

/**
 * A checkpoint in `folder`. Random draws belong to samples, so a run that goes on from it gives the same results as one that was
 * never stopped.
 */
export function checkpointIn(folder: string, identity: RunIdentity): Checkpoint {
  const store = runStoreIn<Stored>(folder, STORE, identity);
  return {
    restore: (state) => store.restore((stored, arrays) => fill(state, stored, arrays)),
    save: (state) => store.save(storedOf(state), arraysOf(state)),
    clear: () => store.clear(),
  };
}

function storedOf({ clean, cells, corruption }: RunState): Stored {
  return {
    cleanDone: clean.done,
    ...(corruption && {
      corruption: {
        finished: corruption.finished,
        queries: corruption.queries,
        seconds: corruption.seconds,
      },
    }),
    cells: cells.map(({ record, examples, current }) => ({
      queries: record.queries,
      gradientQueries: record.gradientQueries,
      seconds: record.seconds,
      refused: record.refused,
      current: current?.start ?? null,
      examples: examples.map(({ clean: _c, adversarial: _a, ...rest }) => rest),
    })),
  };
}

const ROWS = ['prediction', 'success', 'distance', 'decided', 'asked', 'took', 'by'] as const;
/** Arrays of a chunk that was interrupted. */
const OPEN = ['x', 'decided', 'asked', 'took', 'by', 'parameters', 'shared'] as const;

function arraysOf({ clean, cells, corruption }: RunState): Record<string, NpyArray> {
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

async function fill(state: RunState, stored: Stored, { read, damaged }: StoredArrays): Promise<void> {
  if (stored.cells.length !== state.cells.length) throw damaged();
  const into = async (target: CellRecord[(typeof ROWS)[number]], key: string) =>
    target.set((await read(key, target.length)) as never);
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
}
