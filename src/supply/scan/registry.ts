import { compressedScanners } from './container/compressed.ts';
import { sevenZipScanner } from './container/seven-zip/scanner.ts';
import { tarScanner } from './container/tar.ts';
import { unsupportedScanner } from './container/unsupported.ts';
import { zipScanner } from './container/zip.ts';
import { ENGINE_RULES } from './engine-rules.ts';
import type { Rule } from './finding.ts';
import { FORMAT_COLLECTION_SCANNERS, FORMAT_SCANNERS } from './formats/registry.ts';
import { npyScanner } from './pickle/npy.ts';
import { pickleScanner } from './pickle/scanner.ts';
import type { CollectionScanner, Scanner } from './scanner.ts';
import { torchArchiveScanner } from './torch/archive.ts';

/** Every scanner of single contents; one import and one line each. */
export const SCANNERS: readonly Scanner[] = [
  pickleScanner,
  npyScanner,
  zipScanner,
  tarScanner,
  sevenZipScanner,
  ...compressedScanners,
  unsupportedScanner,
  ...FORMAT_SCANNERS,
];

/** Every scanner of formats that are several files. */
export const COLLECTION_SCANNERS: readonly CollectionScanner[] = [
  torchArchiveScanner,
  ...FORMAT_COLLECTION_SCANNERS,
];

/** Every rule that a scan may report, sorted by id; a duplicate id fails when the module loads. */
export const RULES: readonly Rule[] = distinct([
  ...Object.values(ENGINE_RULES),
  ...[...SCANNERS, ...COLLECTION_SCANNERS].flatMap((scanner) => scanner.rules),
]);

function distinct(rules: readonly Rule[]): readonly Rule[] {
  const byId = new Map<string, Rule>();
  for (const rule of rules) {
    if ((byId.get(rule.id) ?? rule) !== rule) throw new Error(`two rules are called ${rule.id}`);
    byId.set(rule.id, rule);
  }
  return [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}
