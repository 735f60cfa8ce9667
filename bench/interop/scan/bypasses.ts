/**
 * Writes every known bypass that the tests build into FOLDER, one file each: `node bench/interop/scan/bypasses.ts FOLDER`.
 * peers.py shows what other scanners say of them. All commands in them are harmless, and nothing is run.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ZIP_BYPASSES } from '../../../src/supply/scan/container/bypasses.fixture.ts';
import { PICKLE_BYPASSES } from '../../../src/supply/scan/pickle/bypasses.fixture.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('expected a folder');
mkdirSync(folder, { recursive: true });
const slug = (title: string) =>
  title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 60);
for (const [samples, kind, extension] of [
  [PICKLE_BYPASSES, 'pickle', 'pkl'],
  [ZIP_BYPASSES, 'zip', 'zip'],
] as const)
  for (const [title, [content, verdict]] of Object.entries(samples))
    writeFileSync(join(folder, `${verdict}-${kind}-${slug(title)}.${extension}`), content);
