import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { ENGINE_RULES } from './engine-rules.ts';
import type { Finding, Rule } from './finding.ts';
import { type SourceResult, type SourceScan, scanSource } from './scan-source.ts';
import { shortReadSource } from './short-reads.ts';
import { worstVerdict } from './verdict.ts';

// Without O_NONBLOCK, opening a named pipe that took the file's place would wait for ever.
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * Scans the file `path`, and says so when it changed meanwhile: size, times or the file itself under that name.
 * Only cancellation throws.
 */
export async function scanFile(path: string, scan: SourceScan): Promise<SourceResult> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, READ);
    const before = await handle.stat({ bigint: true });
    if (!before.isFile()) return notOpened(path, 'no regular file');
    const result = await scanSource(shortReadSource(handle, Number(before.size), path), scan);
    const [after, there] = [
      await handle.stat({ bigint: true }),
      await stat(path, { bigint: true }).catch(() => undefined),
    ];
    const same = [after, there].every(
      (now) =>
        now?.size === before.size &&
        now.mtimeNs === before.mtimeNs &&
        now.ino === before.ino &&
        now.dev === before.dev,
    );
    return same
      ? result
      : withFinding(result, path, ENGINE_RULES.changed, 'size, time or identity of the file');
  } catch (thrown) {
    if ((thrown as { code?: unknown }).code === 'run/cancelled') throw thrown;
    return notOpened(path, thrown instanceof Error ? thrown.message : String(thrown));
  } finally {
    await handle?.close().catch(() => undefined);
  }
}

/** The result of a file of which nothing was seen. */
export function notOpened(file: string, reason: string): SourceResult {
  const nothing: SourceResult = { verdict: 'clean', formats: [], findings: [], unknown: false };
  return withFinding(nothing, file, ENGINE_RULES.unopened, reason);
}

/** A result with one more finding about the file itself. */
export function withFinding(result: SourceResult, file: string, rule: Rule, what: string): SourceResult {
  const finding: Finding = { rule, place: { file, inner: [] }, what };
  return {
    ...result,
    findings: [...result.findings, finding],
    verdict: worstVerdict([result.verdict, rule.verdict]),
    unknown: false,
  };
}
