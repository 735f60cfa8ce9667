import { GlacisError } from '../core/error.ts';
import type { ThroughOptions } from './bundle-roots.ts';
import { examineLog } from './examine.ts';
import type { LogReader } from './log-reader.ts';
import type { LogSource } from './log-source.ts';

/**
 * Computes the whole tree again from all entries and compares every tile and the signed root with it, so that any proof that
 * this log will ever give is known to be right. Gives the number of tiles and bundles compared.
 * Cost: reads the whole log once. Memory: 64 bytes for 256 entries, and a bundle a thread.
 * Errors: `ledger/untrusted` with the first findings of {@link examineLog}, `run/cancelled`.
 */
export async function auditLog(
  log: LogReader,
  source: LogSource,
  options: ThroughOptions = {},
): Promise<{ readonly entries: number; readonly tiles: number }> {
  const { entries, tiles, findings } = await examineLog(source, log.checkpoint, options);
  if (findings.length > 0)
    throw new GlacisError(
      'ledger/untrusted',
      `log ${log.checkpoint.origin}: expected everything as it was signed, got ${findings.length} differences: ${findings
        .slice(0, 3)
        .map(({ where, what }) => `${where}: ${what}`)
        .join('; ')}`,
    );
  return { entries, tiles };
}
