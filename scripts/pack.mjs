/**
 * `npm run pack [-- FOLDER]`: builds and packs what is published into FOLDER (default: the repository's root) and
 * prints the tarball's path. The repository's own manifest is private and brings Node 24 along for its clones; the
 * published one does neither, so the tarball is made from a clean folder with a cleaned manifest. Needs Node 24
 * (started by run.mjs).
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = resolve(process.argv[2] ?? root);
/** Fields of package.json that only the repository needs. */
const OWN = ['private', 'scripts', 'devDependencies', 'optionalDependencies', 'allowScripts'];
/** What npm packs without being asked, if it is there. */
const ALWAYS = ['README.md', 'CHANGELOG.md', 'SECURITY.md'];

process.exitCode = pack();

function pack() {
  const built = spawnSync(process.execPath, [join(root, 'scripts/build.mjs')], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (built.status !== 0) return built.status ?? 1;
  const clean = mkdtempSync(join(tmpdir(), 'glacis-pack-'));
  try {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    for (const file of [...manifest.files, ...ALWAYS]) {
      if (existsSync(join(root, file))) cpSync(join(root, file), join(clean, file), { recursive: true });
    }
    for (const field of OWN) delete manifest[field];
    manifest.files = [...manifest.files, 'SECURITY.md', 'CHANGELOG.md'];
    manifest.engines = { node: '>=24' };
    writeFileSync(join(clean, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
    const packed = spawnSync(npm, ['pack', '--json', '--loglevel=error', `--pack-destination=${target}`], {
      cwd: clean,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      shell: process.platform === 'win32',
    });
    if (packed.status !== 0) return packed.status ?? 1;
    const [{ filename, size, entryCount }] = JSON.parse(packed.stdout);
    process.stderr.write(`glacis: packed ${entryCount} files, ${(size / 1024).toFixed(0)} kB\n`);
    process.stdout.write(`${join(target, filename)}\n`);
    return 0;
  } finally {
    rmSync(clean, { recursive: true, force: true });
  }
}
