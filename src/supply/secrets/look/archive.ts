import type { ByteSource } from '../../../data/byte-source.ts';
import { compressedScanners } from '../../scan/container/compressed.ts';
import { sevenZipScanner } from '../../scan/container/seven-zip/scanner.ts';
import { tarScanner } from '../../scan/container/tar.ts';
import { zipScanner } from '../../scan/container/zip.ts';
import { placeText } from '../../scan/finding.ts';
import { DEFAULT_SCAN_LIMITS, newBudget } from '../../scan/limits.ts';
import { scanSource } from '../../scan/scan-source.ts';
import type { CollectionScanner, Probe, Scanner } from '../../scan/scanner.ts';

const CONTAINERS: readonly Scanner[] = [zipScanner, tarScanner, sevenZipScanner, ...compressedScanners];

async function isContainer(probe: Probe): Promise<boolean> {
  for (const container of CONTAINERS) if (await container.recognises(probe)) return true;
  return false;
}

/** Members are looked at whatever their checksum, so that gigabytes of weights are not read for it. */
const unchecked: CollectionScanner = {
  id: 'unchecked',
  title: 'Members of an archive',
  rules: [],
  recognises: () => true,
  async scan({ members, vouch }) {
    for (const { name } of members) vouch(name);
  },
};

/**
 * Opens `source` where it is an archive or compressed, with everything nested in it, and calls `look` for each content that is neither.
 * Uses what the scanner of models opens archives with, under the same limits. Says whether it was an archive; what could not be read in
 * it goes to `unread`. Errors: `run/cancelled`.
 */
export async function lookInside(
  source: ByteSource,
  path: string,
  look: (path: string, content: ByteSource) => Promise<void>,
  unread: (path: string, reason: string) => void,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  let opened = false;
  const reader: Scanner = {
    id: 'content',
    title: 'Content of an archive',
    rules: [],
    recognises: async (probe) => !(await isContainer(probe)),
    async scan(content, { where }) {
      if (where !== path) await look(where, content);
    },
  };
  const { formats, findings } = await scanSource(source, {
    scanners: [...CONTAINERS, reader],
    collectionScanners: [unchecked],
    file: path,
    budget: newBudget(DEFAULT_SCAN_LIMITS, () => performance.now(), signal),
    signal,
  });
  opened = formats.some((format) => format !== reader.id);
  for (const { rule, place, what } of findings)
    if (rule.verdict === 'unreadable' || CUT_OFF.has(rule.id)) unread(placeText(place), what);
  return opened;
}

/** Findings behind which a part was not looked at. */
const CUT_OFF: ReadonlySet<string> = new Set(['archive/bomb', 'zip/bad-checksum', '7z/bad-checksum']);
