import { memorySource } from '../../data/byte-source.ts';
import { DEFAULT_SCAN_LIMITS, newBudget, type ScanLimits } from './limits.ts';
import { COLLECTION_SCANNERS, SCANNERS } from './registry.ts';
import { type SourceResult, type SourceScan, scanSource } from './scan-source.ts';

/** Scans bytes as a file of the given name; with all scanners unless `scan` names others. */
export function scanBytes(
  bytes: Uint8Array,
  name = 'model',
  scan: Partial<SourceScan> & { readonly limits?: Partial<ScanLimits> } = {},
): Promise<SourceResult> {
  const budget = newBudget({ ...DEFAULT_SCAN_LIMITS, ...scan.limits }, () => performance.now());
  return scanSource(memorySource(bytes, name), {
    scanners: SCANNERS,
    collectionScanners: COLLECTION_SCANNERS,
    file: name,
    budget,
    ...scan,
  });
}

/** The ids of the rules that were reported, sorted, each once. */
export function ruleIds(result: Pick<SourceResult, 'findings'>): readonly string[] {
  return [...new Set(result.findings.map(({ rule }) => rule.id))].sort();
}
