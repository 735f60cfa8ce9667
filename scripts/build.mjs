/**
 * `npm run build`: compiles src into dist (JavaScript with declarations, no tests) and copies what tsc does not: the
 * files that the program reads at run time; and the console (build-console.mjs). Needs Node 24 (started by run.mjs).
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildConsole } from './build-console.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const src = join(root, 'src');
const dist = join(root, 'dist');

process.exitCode = await build();

async function build() {
  rmSync(dist, { recursive: true, force: true });
  const args = [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) return status ?? 1;
  copyAssets();
  await buildConsole({ ifNewer: true });
  return rewriteFileUrls();
}

/** Copies each file of src that is not TypeScript source: generated JavaScript with its declarations, and data. */
function copyAssets() {
  for (const file of globSync('**/*', { cwd: src, withFileTypes: true })) {
    if (!file.isFile()) continue;
    if (file.name.endsWith('.ts') && !file.name.endsWith('.d.ts')) continue;
    if (file.parentPath.endsWith('proto')) continue; // generated messages, which only tests use
    const from = join(file.parentPath, file.name);
    const to = join(dist, from.slice(src.length + 1));
    mkdirSync(dirname(to), { recursive: true });
    cpSync(from, to);
  }
}

/**
 * tsc rewrites `import './x.ts'` to `./x.js`, but not the address of a worker: `new URL('./x.ts', import.meta.url)`.
 * This does, and fails when the file that such an address names was not built.
 */
function rewriteFileUrls() {
  let missing = 0;
  for (const file of globSync('**/*.js', { cwd: dist })) {
    const path = join(dist, file);
    const before = readFileSync(path, 'utf8');
    const after = before.replace(
      /(new URL\(\s*['"])(\.{1,2}\/[^'"]+)\.ts(['"]\s*,\s*import\.meta\.url)/g,
      (_, head, name, tail) => {
        if (!existsSync(join(dirname(path), `${name}.js`))) {
          process.stderr.write(`glacis: dist/${file} names ${name}.ts, which was not built\n`);
          missing++;
        }
        return `${head}${name}.js${tail}`;
      },
    );
    if (after !== before) writeFileSync(path, after);
  }
  return missing === 0 ? 0 : 1;
}
