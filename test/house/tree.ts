import { readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Folders that hold nothing written here: what is installed, built or written by a run (as in .gitignore). */
const NOT_OURS: ReadonlySet<string> = new Set([
  '.git',
  'node_modules',
  'dist',
  '.glacis',
  '.cache',
  'out',
  'coverage',
  'venv',
  '__pycache__',
]);

/** Every file of the repository under `folder`, as paths from the root with forward slashes, sorted. */
export function filesUnder(folder = ''): readonly string[] {
  const found: string[] = [];
  const walk = (path: string): void => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (NOT_OURS.has(entry.name)) continue;
      const full = join(path, entry.name);
      if (entry.isDirectory()) walk(full);
      else if (entry.isFile()) found.push(relative(ROOT, full).replaceAll('\\', '/'));
    }
  };
  walk(join(ROOT, folder));
  return found.sort();
}
