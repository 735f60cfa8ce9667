import { join, sep } from 'node:path';
import { GlacisError } from '../../core/error.ts';
import { openBelow } from '../../core/open-below.ts';
import { type Progress, silent } from '../../core/progress.ts';
import { type ByteSource, fileSource } from '../../data/byte-source.ts';
import type { SupplyFinding } from '../finding/finding.ts';
import { ENGINE_RULES } from './engine-rules.ts';
import { toSupplyFinding } from './finding.ts';
import { DEFAULT_SCAN_LIMITS, newBudget, type ScanLimits } from './limits.ts';
import { COLLECTION_SCANNERS, SCANNERS } from './registry.ts';
import { notOpened, scanFile, withFinding } from './scan-file.ts';
import { type SourceResult, scanCollection } from './scan-source.ts';
import type { Collection } from './scanner.ts';
import { type Verdict, worstVerdict } from './verdict.ts';
import { type Walk, walk } from './walk.ts';

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

/** How a scan runs. */
export interface ScanOptions {
  /** What one file may cost; {@link DEFAULT_SCAN_LIMITS} where nothing is said. */
  readonly limits?: Partial<ScanLimits>;
  /** Called with the result of each file as soon as it is there. */
  readonly onFile?: (file: FileScan) => void;
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
  /** A clock in milliseconds. */
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
    const vouched = new Set<string>();
    const scanning = (file: string, siblings: Collection | undefined) => ({
      scanners: SCANNERS,
      collectionScanners: COLLECTION_SCANNERS,
      file: slashed(file),
      budget: newBudget(limits, now, signal),
      signal,
      siblings,
    });
    for (const { path: refused, reason } of found.refused) add(refused, notOpened(slashed(refused), reason));
    const folders = foldersOf(path, found, vouched);
    for (const [folder, collection] of folders) {
      const result = await scanCollection(collection, scanning(folder, undefined));
      if (result.formats.length > 0 || result.findings.length > 0) add(folder, result);
    }
    const unknown: { readonly file: string; readonly result: SourceResult }[] = [];
    let done = 0;
    for (const { path: file } of found.files) {
      progress({ label: 'scanning', done: done++, total: found.files.length, note: slashed(file) });
      const result = await scanFile(file, scanning(file, folders.get(parentOf(file))));
      // A later file may vouch for it: a model for its external weights.
      if (result.unknown) unknown.push({ file, result });
      else add(file, result);
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

/** Each folder of a walk as the collection of all files below it; a file alone lies in its own folder. */
function foldersOf(
  root: string,
  { files, folders }: Walk,
  vouched: Set<string>,
): ReadonlyMap<string, Collection> {
  const collections = new Map<string, Collection & { readonly members: { name: string; size: number }[] }>();
  for (const folder of folders.length > 0 ? folders : [parentOf(root)])
    collections.set(folder, {
      kind: 'folder',
      members: [],
      open: (name) => openIn(folder, name),
      vouch(name) {
        // Attacker-controlled: a model vouches for what lies with it and for nothing else.
        if (!name.split(/[\\/]/).includes('..')) vouched.add(join(folder, ...name.split('/')));
      },
    });
  for (const { path, size } of files)
    for (let folder = parentOf(path), last = ''; folder !== last; last = folder, folder = parentOf(folder)) {
      const name = slashed(folder === '.' ? path : path.slice(folder.length).replace(/^[\\/]/, ''));
      collections.get(folder)?.members.push({ name, size });
    }
  return collections;
}

async function openIn(folder: string, name: string): Promise<ByteSource> {
  const handle = await openBelow(
    folder,
    name,
    (reason, cause) =>
      new GlacisError('data/unreadable', `${name}: expected a plain file in the folder, but ${reason}`, {
        cause,
      }),
  );
  return fileSource(handle, (await handle.stat()).size, name);
}

function parentOf(path: string): string {
  const at = path.lastIndexOf(sep);
  return at < 0 ? '.' : path.slice(0, Math.max(1, at));
}

function slashed(path: string): string {
  return path.split(sep).join('/');
}
