/**
 * Every code that a {@link GlacisError} may carry. `docs/errors.md` explains each; a test holds both against each other.
 */
export const ERROR_CODES = [
  'model/unreadable',
  'model/invalid',
  'model/too-large',
  'model/external-data',
  'model/unsupported-operator',
  'model/dynamic-shape',
  'model/unsupported-task',
  'gradient/unsupported',
  'data/unreadable',
  'data/too-large',
  'data/mismatch',
  'data/label-range',
  'data/not-finite',
  'option/unknown',
  'option/invalid',
  'device/unavailable',
  'endpoint/unavailable',
  'endpoint/bad-answer',
  'request/invalid',
  'output/unwritable',
  'run/cancelled',
  'run/failed',
  'attack/violation',
  'result/invalid',
  'privacy/precision',
  'privacy/budget',
  'privacy/ledger',
  'scan/limit',
  'ledger/unreadable',
  'ledger/untrusted',
  'ledger/forked',
  'ledger/locked',
  'ledger/exists',
  'registry/invalid',
  'registry/untrusted',
  'registry/refused',
  'registry/stale',
  'registry/damaged',
  'registry/storage',
  'bundle/invalid',
  'bundle/untrusted',
  'vault/unreadable',
  'vault/key',
  'manifest/refused',
  'manifest/changed',
  'key/unusable',
  'signature/unreadable',
  'signing/unavailable',
  'statement/invalid',
  'policy/invalid',
  'store/unavailable',
  'store/unusable',
  'store/conflict',
] as const;

/** One of {@link ERROR_CODES}. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/**
 * The one error class of Glacis. The message reads `where: expected X, got Y` and says what to do where that is known;
 * it never holds a secret or a tensor's contents. A foreign error is kept as `cause`.
 */
export class GlacisError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'GlacisError';
    this.code = code;
  }
}

/** Wraps anything thrown as a {@link GlacisError}; one that already is one passes unchanged. */
export function asGlacisError(thrown: unknown, code: ErrorCode, where: string): GlacisError {
  if (thrown instanceof GlacisError) return thrown;
  return new GlacisError(code, `${where}: ${reasonOf(thrown)}`, { cause: thrown });
}

/** Why something failed, in words: those of the error, except where the system's own name the call and not the trouble. */
export function reasonOf(thrown: unknown): string {
  switch ((thrown as { code?: unknown } | null)?.code) {
    case 'ENOENT':
      return 'there is no such file or folder';
    case 'EACCES':
    case 'EPERM':
      return 'no right to do that here';
    default:
      return thrown instanceof Error ? thrown.message : String(thrown);
  }
}
