import { scryptSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { asGlacisError, GlacisError } from '../../core/error.ts';

/** Format of a baseline. */
const SCHEMA = 'glacis.secrets-baseline/1';

/** Secrets that are known and not reported again. */
export interface Baseline {
  /** 32 hexadecimal digits. */
  readonly salt: string;
  readonly entries: readonly BaselineEntry[];
}

/** One known secret in one file; sorted by path, rule and fingerprint in the file. */
export interface BaselineEntry {
  readonly path: string;
  readonly rule: string;
  readonly fingerprint: string;
}

const MAX_BYTES = 1 << 26;

/**
 * Makes fingerprints under one salt: 64 bits of scrypt over rule and secret. Slow and salted on purpose, because a baseline is
 * committed, and a plain hash of a weak password gives the password away to whoever tries a list of them; 64 bits
 * are enough to know a secret again. Each secret is hashed once. Cost: about 10 ms and 4 MiB a secret.
 */
export function fingerprinter(salt: string): (rule: string, secret: string) => string {
  const known = new Map<string, string>();
  const bytes = Buffer.from(salt, 'hex');
  return (rule, secret) => {
    const key = `${rule}\0${secret}`;
    const fingerprint = known.get(key) ?? scryptSync(key, bytes, 8, { N: 4096, r: 8, p: 1 }).toString('hex');
    known.set(key, fingerprint);
    return fingerprint;
  };
}

/** Reads a baseline. Errors: `data/unreadable`, `data/too-large`. */
export async function readBaseline(path: string): Promise<Baseline> {
  const text = await readFile(path, 'utf8').catch((thrown: unknown) => {
    throw asGlacisError(thrown, 'data/unreadable', path);
  });
  if (text.length > MAX_BYTES)
    throw new GlacisError(
      'data/too-large',
      `${path}: expected a baseline of at most ${MAX_BYTES} characters`,
    );
  const fail = (got: string) =>
    new GlacisError('data/unreadable', `${path}: expected a baseline of format ${SCHEMA}, got ${got}`);
  let value: Partial<Record<string, unknown>>;
  try {
    value = JSON.parse(text);
  } catch {
    throw fail('text that is not JSON');
  }
  if (typeof value !== 'object' || value === null || value.schema !== SCHEMA) throw fail('another schema');
  const { salt, entries } = value;
  if (typeof salt !== 'string' || !/^[0-9a-f]{32}$/.test(salt))
    throw fail('a salt that is not 32 hexadecimal digits');
  if (!Array.isArray(entries) || !entries.every(isEntry))
    throw fail('entries that lack path, rule or fingerprint');
  return { salt, entries };
}

function isEntry(entry: unknown): entry is BaselineEntry {
  if (typeof entry !== 'object' || entry === null) return false;
  const { path, rule, fingerprint } = entry as Partial<Record<string, unknown>>;
  return [path, rule, fingerprint].every((field) => typeof field === 'string');
}

/** The baseline as JSON text; the same secrets and salt give the same bytes. */
export function baselineToJson({ salt, entries }: Baseline): string {
  const key = ({ path, rule, fingerprint }: BaselineEntry) => `${path}\0${rule}\0${fingerprint}`;
  const distinct = new Map(entries.map((entry) => [key(entry), entry]));
  const sorted = [...distinct].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
  return `${JSON.stringify({ schema: SCHEMA, salt, entries: sorted }, null, 2)}\n`;
}
