import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type {
  SqliteFault,
  SqliteOutcome,
  SqliteReply,
  SqliteRequest,
  SqliteResult,
  SqliteStatement,
  SqliteValue,
  SqliteWorkerData,
} from './sqlite-messages.ts';

/** Prepared statements kept; a program has a few dozen texts. */
const MOST_PREPARED = 256;

/** Rows that one answer may have: more are read in pages, so that no question fills the memory. */
const MOST_ROWS = 100_000;

const data = workerData as SqliteWorkerData | null;
if (parentPort && data?.glacis === 'sqlite') serve(parentPort, data);

function serve(
  port: NonNullable<typeof parentPort>,
  { file, readOnly, busyTimeout }: SqliteWorkerData,
): void {
  const send = (reply: SqliteReply) => port.postMessage(reply);
  let db: DatabaseSync;
  try {
    db = new DatabaseSync(file, { readOnly, timeout: busyTimeout });
    // The journal is written ahead and reaches the disk before a commit returns.
    if (!readOnly) db.exec('pragma journal_mode = wal');
    db.exec('pragma synchronous = full; pragma foreign_keys = on; pragma trusted_schema = off');
    db.exec('pragma cell_size_check = on; pragma journal_size_limit = 67108864');
  } catch (thrown) {
    send({ id: 0, fault: faultOf(thrown) });
    port.close();
    return;
  }
  const run = runner(db);
  send({ id: 0, result: { rows: [], changes: 0 } });
  port.on('message', (request: SqliteRequest) => {
    const { id } = request;
    try {
      if (request.kind === 'run') send({ id, result: run(request.statement) });
      else if (request.kind === 'each') send({ id, outcomes: runEach(db, run, request.statements) });
      else {
        db.close();
        send({ id, result: { rows: [], changes: 0 } });
        port.close();
      }
    } catch (thrown) {
      send({ id, fault: faultOf(thrown) });
    }
  });
}

function runner(db: DatabaseSync): (statement: SqliteStatement) => SqliteResult {
  const prepared = new Map<string, { readonly statement: StatementSync; readonly reads: boolean }>();
  return ({ sql, parameters }) => {
    let entry = prepared.get(sql);
    if (!entry) {
      const statement = db.prepare(sql);
      entry = { statement, reads: statement.columns().length > 0 };
      if (prepared.size >= MOST_PREPARED) prepared.delete(prepared.keys().next().value!);
      prepared.set(sql, entry);
    }
    if (entry.reads) {
      const rows: Record<string, SqliteValue>[] = [];
      for (const row of entry.statement.iterate(...parameters)) {
        if (rows.length === MOST_ROWS)
          throw new Error(`expected at most ${MOST_ROWS} rows; read them in pages`);
        rows.push(row as Record<string, SqliteValue>);
      }
      return { rows, changes: rows.length };
    }
    return { rows: [], changes: Number(entry.statement.run(...parameters).changes) };
  };
}

function runEach(
  db: DatabaseSync,
  run: (statement: SqliteStatement) => SqliteResult,
  statements: readonly SqliteStatement[],
): readonly SqliteOutcome[] {
  db.exec('begin immediate');
  try {
    const outcomes = statements.map((statement): SqliteOutcome => {
      try {
        return run(statement);
      } catch (thrown) {
        // A broken rule undoes its own statement only; a full disk or the like may have undone all of them.
        if (!db.isTransaction) throw thrown;
        return { fault: faultOf(thrown) };
      }
    });
    db.exec('commit');
    return outcomes;
  } catch (thrown) {
    if (db.isTransaction) db.exec('rollback');
    throw thrown;
  }
}

function faultOf(thrown: unknown): SqliteFault {
  const { message, errcode } = thrown as { message?: unknown; errcode?: unknown };
  return {
    message: typeof message === 'string' ? message : String(thrown),
    errcode: typeof errcode === 'number' ? errcode : undefined,
  };
}
