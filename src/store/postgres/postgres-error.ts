import { type ErrorCode, GlacisError } from '../../core/error.ts';

/** What `pg` throws: an SQLSTATE where the server said so, a system's code or nothing where the connection broke. */
interface Thrown {
  readonly message?: unknown;
  readonly code?: unknown;
  readonly severity?: unknown;
}

/** Whether the server itself answered with an error, so that the connection is still good. */
export function isServersWord(thrown: unknown): boolean {
  const { severity, code } = (thrown ?? {}) as Thrown;
  // FATAL and PANIC end the connection.
  return typeof code === 'string' && code.length === 5 && severity === 'ERROR';
}

/** Whether the same transaction may succeed when it is tried again: a serialization failure or a deadlock. */
export function isWorthAnotherTry(thrown: unknown): boolean {
  if (!(thrown instanceof GlacisError)) return false;
  const state = (thrown.cause as { readonly sqlState?: unknown } | undefined)?.sqlState;
  return state === '40001' || state === '40P01';
}

/**
 * What `pg` threw, as an error. Of a server's error its message is kept, which names tables and columns; not its detail, which holds values.
 * SQLSTATE classes: https://www.postgresql.org/docs/15/errcodes-appendix.html
 */
export function postgresError(thrown: unknown): GlacisError {
  if (thrown instanceof GlacisError) return thrown;
  const { message, code } = (thrown ?? {}) as Thrown;
  const said = typeof message === 'string' && message !== '' ? message : String(code ?? 'no reason');
  const sqlState = typeof code === 'string' && code.length === 5 ? code : undefined;
  return new GlacisError(codeOf(sqlState), `store: PostgreSQL: ${said}`, {
    cause: { sqlState, system: sqlState === undefined ? code : undefined },
  });
}

function codeOf(sqlState: string | undefined): ErrorCode {
  if (sqlState === undefined) return 'store/unavailable';
  // A rule of the table, e.g. a value that must be there once.
  if (sqlState.startsWith('23')) return 'store/conflict';
  // Data or index corrupted; database, schema or right missing.
  if (sqlState.startsWith('XX') || ['3D000', '3F000', '42501'].includes(sqlState)) return 'store/unusable';
  // A statement that is wrong, or that does not fit the data.
  if (/^(?:0[9A-Z]|2[0-24-7]|42|44)/.test(sqlState) && sqlState !== '25P03') return 'run/failed';
  // Connections, logins, resources, limits of time, shutdown, transactions that gave way.
  return 'store/unavailable';
}
