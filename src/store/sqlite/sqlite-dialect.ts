import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { GlacisError } from '../../core/error.ts';
import { LONGEST_IDLE_TRANSACTION } from '../engine.ts';
import type { SqliteOutcome, SqliteStatement, SqliteValue } from './sqlite-messages.ts';
import type { SqliteThread } from './sqlite-thread.ts';

/** A thread as Kysely sees it, and statements that stand for themselves. */
export interface SqliteAccess {
  readonly dialect: Dialect;
  each(queries: readonly CompiledQuery[]): Promise<readonly SqliteOutcome[]>;
}

/**
 * Kysely over a {@link SqliteThread}, which is opened at the first use. There is one connection, so a transaction must keep everybody else's statements out between its
 * beginning and its end: they wait at a gate, in order. A transaction that stays open is rolled back, so that code that never ends one
 * cannot stop the rest.
 */
export function sqliteAccess(
  open: () => Promise<SqliteThread>,
  options: { readonly readOnly: boolean; readonly longestIdle?: number },
): SqliteAccess {
  let thread: SqliteThread;
  /** Settles when the last transaction asked for so far is over. */
  let gate: Promise<void> = Promise.resolve();
  let isShut = false;

  class Connection implements DatabaseConnection {
    /** Ends the transaction that this connection has open. */
    finish: (() => void) | undefined;
    timer: NodeJS.Timeout | undefined;
    underWay = 0;
    isLate = false;

    async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
      if (this.isLate) throw late();
      if (!this.finish && isShut) await gate;
      this.underWay++;
      clearTimeout(this.timer);
      try {
        return await this.run(query);
      } finally {
        this.underWay--;
        if (this.finish) this.watch();
      }
    }

    async run<R>(query: CompiledQuery): Promise<QueryResult<R>> {
      const { rows, changes } = await thread.run(statementOf(query));
      return { rows: rows as unknown as R[], numAffectedRows: BigInt(changes) };
    }

    // biome-ignore lint/correctness/useYield: there is nothing to stream to: an answer comes as a whole.
    async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
      throw new GlacisError('run/failed', 'store: expected a query that fits in memory; read it in pages');
    }

    /** Waits for its turn and begins. */
    async begin(): Promise<void> {
      const before = gate;
      let open: () => void = () => {};
      gate = new Promise((resolve) => {
        open = resolve;
      });
      const mine = gate;
      isShut = true;
      await before;
      this.finish = () => {
        clearTimeout(this.timer);
        this.finish = undefined;
        if (gate === mine) isShut = false;
        open();
      };
      try {
        await thread.run({ sql: options.readOnly ? 'begin' : 'begin immediate', parameters: [] });
      } catch (thrown) {
        this.finish();
        throw thrown;
      }
      this.watch();
    }

    /** Looks out for a transaction that does nothing. */
    watch(): void {
      clearTimeout(this.timer);
      if (this.underWay > 0) return;
      this.timer = setTimeout(() => {
        this.isLate = true;
        this.rollback().catch(() => {});
      }, options.longestIdle ?? LONGEST_IDLE_TRANSACTION);
    }

    async commit(): Promise<void> {
      if (this.isLate) throw late();
      // A commit that fails leaves the transaction open: Kysely rolls it back, and only then may others go on.
      clearTimeout(this.timer);
      await thread.run({ sql: 'commit', parameters: [] });
      this.finish?.();
    }

    async rollback(): Promise<void> {
      const { finish } = this;
      this.finish = undefined;
      if (!finish) return;
      try {
        await thread.run({ sql: 'rollback', parameters: [] });
      } catch (thrown) {
        // SQLite has rolled back by itself, or the thread is gone and with it the transaction.
        if (!(thrown instanceof GlacisError) || thrown.code === 'store/unavailable') throw thrown;
      } finally {
        finish();
      }
    }
  }

  const driver: Driver = {
    async init() {
      thread = await open();
    },
    acquireConnection: async () => new Connection(),
    beginTransaction: (connection) => (connection as Connection).begin(),
    commitTransaction: (connection) => (connection as Connection).commit(),
    rollbackTransaction: (connection) => (connection as Connection).rollback(),
    async releaseConnection(connection) {
      await (connection as Connection).rollback();
    },
    destroy: () => thread.close(),
  };
  return {
    dialect: {
      createAdapter: () => new Adapter(),
      createDriver: () => driver,
      createIntrospector: (db: Kysely<unknown>) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
    async each(queries) {
      thread ??= await open();
      if (isShut) await gate;
      return thread.each(queries.map(statementOf));
    },
  };
}

/** SQLite's adapter says that there is one connection and lets Kysely queue for it, which a transaction that never ends would stop. */
class Adapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

function statementOf({ sql, parameters }: CompiledQuery): SqliteStatement {
  return { sql, parameters: parameters.map(sqliteValue) };
}

/** A parameter as SQLite holds it. */
function sqliteValue(value: unknown): SqliteValue {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value === null || typeof value === 'string' || typeof value === 'bigint' || value instanceof Uint8Array)
    return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new GlacisError(
    'run/failed',
    `store: expected a parameter that is null, a finite number, text or bytes, got ${typeof value}`,
  );
}

function late(): GlacisError {
  return new GlacisError(
    'store/unavailable',
    'store: expected a transaction that goes on; it did nothing for too long and was rolled back',
  );
}
