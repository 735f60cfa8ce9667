import { foldersOf, parentOf, slashed } from './folder-collections.ts';
import { newBudget, type ScanLimits } from './limits.ts';
import { COLLECTION_SCANNERS, SCANNERS } from './registry.ts';
import { scanFile } from './scan-file.ts';
import { newProbeMemory, type SourceResult, type SourceScan, scanCollection } from './scan-source.ts';
import type { Collection } from './scanner.ts';
import type { Walk } from './walk.ts';

/** What a walk found, ready to be scanned, one file after the other and in any order. */
export interface WalkScan {
  /** Every folder that was walked, and what its files are together. */
  scanFolders(): AsyncGenerator<{ readonly folder: string; readonly result: SourceResult }>;
  /** Only cancellation throws. */
  scanFile(path: string): Promise<SourceResult>;
  /** Files that some other vouched for until now; its owner may empty it. */
  readonly vouched: Set<string>;
}

/** What scanning runs with. */
export interface WalkScanOptions {
  readonly limits: ScanLimits;
  /** A clock in milliseconds. */
  readonly now: () => number;
  readonly signal?: AbortSignal | undefined;
}

/** Opens what `walk` found below `root`, to be scanned one file after the other. */
export function openWalkScan(
  root: string,
  walk: Pick<Walk, 'files' | 'folders'>,
  { limits, now, signal }: WalkScanOptions,
): WalkScan {
  const memory = newProbeMemory();
  const vouched = new Set<string>();
  const folders = foldersOf(root, walk, (path) => vouched.add(path));
  const scan = (path: string, siblings: Collection | undefined): SourceScan => ({
    scanners: SCANNERS,
    collectionScanners: COLLECTION_SCANNERS,
    file: slashed(path),
    budget: newBudget(limits, now, signal),
    signal,
    siblings,
    memory,
  });
  return {
    vouched,
    scanFile: (path) => scanFile(path, scan(path, folders.get(parentOf(path)))),
    async *scanFolders() {
      for (const [folder, collection] of folders)
        yield { folder, result: await scanCollection(collection, scan(folder, undefined)) };
    },
  };
}
