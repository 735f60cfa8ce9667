import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { GlacisError } from '../../core/error.ts';
import { type Progress, silent } from '../../core/progress.ts';
import type { SupplyFinding } from '../finding/finding.ts';
import { ENGINE_RULES } from './engine-rules.ts';
import { toSupplyFinding } from './finding.ts';
import { slashed } from './folder-collections.ts';
import { DEFAULT_SCAN_LIMITS, type ScanLimits } from './limits.ts';
import { notOpened, withFinding } from './scan-file.ts';
import { scanFiles, startThreads } from './scan-files.ts';
import type { SourceResult } from './scan-source.ts';
import { type Verdict, worstVerdict } from './verdict.ts';
import { walk } from './walk.ts';

/** The version of the format, as the field `schema` carries it. */
export const SCAN_SCHEMA = 'glacis.scan/1';

/** A finding of a scan. */
export interface ScanFinding extends SupplyFinding {
  readonly verdict: Exclude<Verdict, 'clean'>;
}

/** What a scan says of one file, or of the files of one folder together. */
export interface FileScan {
  /** As it was reached from the path given, with `/` between steps. */
  readonly path: string;
  readonly verdict: Verdict;
  /** Ids of the formats that the content is of; none for text, pictures and the like. */
  readonly formats: readonly string[];
  readonly findings: readonly ScanFinding[];
}

/** The result of a scan. */
export interface ScanResult {
  readonly schema: typeof SCAN_SCHEMA;
  /** The worst of all files. */
  readonly verdict: Verdict;
  readonly files: readonly FileScan[];
  /** Folders that were not entered on purpose, such as `.git`. */
  readonly passedOver: readonly string[];
}

/** Each thread takes some fifty megabytes. */
const MOST_THREADS = 4;

/** How a scan runs. */
export interface ScanOptions {
  /** What one file may cost; {@link DEFAULT_SCAN_LIMITS} where nothing is said. */
  readonly limits?: Partial<ScanLimits>;
  /** Called with the result of each file, in the order of the files, as soon as it and all before it are there. */
  readonly onFile?: (file: FileScan) => void;
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
  /** Threads that scan; one a core, and at most four, unless given. Results do not depend on it. */
  readonly threads?: number | undefined;
  /** A clock in milliseconds; one that is given is asked in this thread alone. */
  readonly now?: () => number;
}

/**
 * Scans files and everything below folders for models that harm whoever loads them. Nothing is loaded, imported or run.
 * A file is clean only when it was read to its end and showed nothing; see docs/scanning.md for every rule.
 *
 * Errors: `option/invalid` (no path, a limit that is no positive number), `run/cancelled`. What cannot be read is a finding.
 *
 * @example
 * const { verdict, files } = await scanPaths(['downloads/model']);
 */
export async function scanPaths(paths: readonly string[], options: ScanOptions = {}): Promise<ScanResult> {
  if (paths.length === 0)
    throw new GlacisError('option/invalid', 'scan: expected at least one path, got none');
  const limits = { ...DEFAULT_SCAN_LIMITS, ...options.limits };
  for (const [name, value] of Object.entries(limits)) {
    if (!(name in DEFAULT_SCAN_LIMITS))
      throw new GlacisError('option/unknown', `scan: there is no limit ${name}`);
    if (!(value > 0))
      throw new GlacisError('option/invalid', `scan: ${name}: expected a number above 0, got ${value}`);
  }
  const { progress = silent, signal, now = () => performance.now(), onFile } = options;
  const threads = options.now ? 1 : (options.threads ?? Math.min(MOST_THREADS, availableParallelism()));
  const files: FileScan[] = [];
  const passedOver: string[] = [];
  const add = (path: string, result: SourceResult) => {
    const file = fileScan(path, result);
    files.push(file);
    onFile?.(file);
  };
  for (const given of paths) {
    // Without a separator at its end, so that it is the parent of what lies in it.
    const path = join(given, '.');
    const found = await walk(path, signal);
    passedOver.push(...found.passedOver.map(slashed));
    const { files: listed, folders } = found;
    const helping = startThreads({ root: path, walk: { files: listed, folders }, limits, threads });
    const unknown: { readonly file: string; readonly result: SourceResult }[] = [];
    let vouched: ReadonlySet<string>;
    try {
      const { openWalkScan } = await import('./walk-scan.ts');
      const own = openWalkScan(path, found, { limits, now, signal });
      vouched = own.vouched;
      for (const { path: refused, reason } of found.refused)
        add(refused, notOpened(slashed(refused), reason));
      for await (const { folder, result } of own.scanFolders())
        if (result.formats.length > 0 || result.findings.length > 0) add(folder, result);
      let done = 0;
      await scanFiles({ files: listed, own, threads: helping, signal }, (file, result) => {
        progress({ label: 'scanning', done: ++done, total: listed.length, note: slashed(file) });
        // A later file may vouch for it: a model for its external weights.
        if (result.unknown) unknown.push({ file, result });
        else add(file, result);
      });
    } finally {
      helping.end();
    }
    for (const { file, result } of unknown)
      add(
        file,
        vouched.has(file)
          ? result
          : withFinding(result, slashed(file), ENGINE_RULES.unknownFormat, 'no scanner knows it'),
      );
  }
  return {
    schema: SCAN_SCHEMA,
    verdict: worstVerdict(files.map(({ verdict }) => verdict)),
    files,
    passedOver,
  };
}

function fileScan(path: string, { verdict, formats, findings }: SourceResult): FileScan {
  return {
    path: slashed(path),
    verdict,
    formats,
    findings: findings.map((finding) => ({ ...toSupplyFinding(finding), verdict: finding.rule.verdict })),
  };
}
