import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type Store } from '../../store/index.ts';
import { type BudgetsConfig, budgetsSchema } from './budgets-schema.ts';
import { type OpenBudgets, openBudgets } from './open-budgets.ts';

/** Budgets as `glacis.yaml` would have them: one of each principal without. */
export function budgetsFixture(queries: number, rest: object = {}): BudgetsConfig {
  return budgetsSchema.parse({ limits: [{ per: 'principal', queries }], timeout: '1 minute', ...rest });
}

/** Clocks that a test sets. */
export interface Clocks {
  /** The system's clock. */
  wall: number;
  /** The machine's count of time. */
  monotonic: number;
}

/** A store in a file, and budgets on it that are opened and closed as often as a test likes. */
export interface BudgetsBench {
  readonly file: string;
  readonly clocks: Clocks;
  readonly store: Store;
  open(config: BudgetsConfig): Promise<OpenBudgets>;
  /** Opens the file anew, as after a crash. */
  reopen(): Promise<void>;
  end(): Promise<void>;
}

/** Makes a {@link BudgetsBench}. */
export async function budgetsBench(): Promise<BudgetsBench> {
  const folder = mkdtempSync(join(tmpdir(), 'glacis-budgets-'));
  const file = join(folder, 'store.db');
  const clocks: Clocks = { wall: Date.UTC(2027, 0, 1), monotonic: 1000 };
  let store = await openStore({ kind: 'sqlite', file });
  return {
    file,
    clocks,
    get store() {
      return store;
    },
    open: (config) =>
      openBudgets(config, { store, now: () => clocks.wall, monotonic: () => clocks.monotonic }),
    async reopen() {
      await store.close();
      store = await openStore({ kind: 'sqlite', file });
    },
    async end() {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
