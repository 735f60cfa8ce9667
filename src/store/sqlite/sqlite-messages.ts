/** What SQLite keeps in a column. */
export type SqliteValue = null | number | bigint | string | Uint8Array;

/** A statement with its parameters. */
export interface SqliteStatement {
  readonly sql: string;
  readonly parameters: readonly SqliteValue[];
}

/** What a statement gave. */
export interface SqliteResult {
  readonly rows: readonly Record<string, SqliteValue>[];
  readonly changes: number;
}

/** What went wrong, with SQLite's extended result code where it was SQLite that said so. */
export interface SqliteFault {
  readonly message: string;
  readonly errcode: number | undefined;
}

/** What a statement among several came to. */
export type SqliteOutcome = SqliteResult | { readonly fault: SqliteFault };

/** What the thread is started with. */
export interface SqliteWorkerData {
  readonly glacis: 'sqlite';
  readonly file: string;
  readonly readOnly: boolean;
  readonly busyTimeout: number;
}

/** What the thread is asked. Every request but `close` is answered once, in order. */
export type SqliteRequest =
  | { readonly id: number; readonly kind: 'run'; readonly statement: SqliteStatement }
  /** Statements that know nothing of each other, in one transaction: one write to the disk for all. */
  | { readonly id: number; readonly kind: 'each'; readonly statements: readonly SqliteStatement[] }
  | { readonly id: number; readonly kind: 'close' };

/** Its answers; that to request 0 says that the database is open. */
export type SqliteReply =
  | { readonly id: number; readonly result: SqliteResult }
  | { readonly id: number; readonly outcomes: readonly SqliteOutcome[] }
  | { readonly id: number; readonly fault: SqliteFault };
