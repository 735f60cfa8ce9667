/**
 * `node scripts/run.mjs scripts/build-console.mjs [--if-newer]`: bundles console/ into console/dist: `index.html`, and under `assets/` scripts and one
 * style sheet, minified, with a hash of their content in the name and compressed ahead (`.br`, `.gz`). With `--if-newer` only where a source is
 * newer than what is there. `buildConsole` does the same for other scripts. Needs Node 24 (started by run.mjs).
 */
import { createHash } from 'node:crypto';
import {
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, 'console');
const dist = join(folder, 'dist');
/** Where the gateway serves it; `index.html` names its files by whole paths, because every page has its own. */
const BASE = '/console/';
/** Smaller files travel as they are. */
const COMPRESS_FROM = 512;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { built, bytes } = await buildConsole({ ifNewer: process.argv.includes('--if-newer') });
  if (built) process.stderr.write(`glacis: console built, ${(bytes / 1024).toFixed(1)} kB compressed\n`);
}

/**
 * Bundles the console. The new files take the old ones' place at once, at the end.
 *
 * @param {{ ifNewer?: boolean }} options `ifNewer`: nothing where no source is newer
 * @returns {Promise<{ built: boolean, bytes: number }>} the size of all files, compressed
 */
export async function buildConsole({ ifNewer = false } = {}) {
  if (ifNewer && !isStale()) return { built: false, bytes: 0 };
  const fresh = join(folder, `dist.${process.pid}`);
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(join(fresh, 'assets'), { recursive: true });
  try {
    const entry = await bundleScripts(join(fresh, 'assets'));
    const names = { SCRIPT: entry, STYLE: hashed(fresh, 'console', 'css', styleSheet()) };
    const icon = hashed(fresh, 'icon', 'svg', readFileSync(join(folder, 'icon.svg'), 'utf8').trim());
    writeFileSync(join(fresh, 'index.html'), page({ ...names, ICON: icon }));
    const bytes = compressAll(fresh);
    rmSync(dist, { recursive: true, force: true });
    renameSync(fresh, dist);
    return { built: true, bytes };
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** Whether a source is newer than what was built, or something was not built at all. */
function isStale() {
  const made = join(dist, 'index.html');
  if (!existsSync(made)) return true;
  const then = statSync(made).mtimeMs;
  const sources = globSync('console/**/*.{ts,tsx,css,html,svg}', { cwd: root })
    .filter((path) => !/^console[\\/]dist/.test(path))
    .map((path) => join(root, path));
  const tools = [fileURLToPath(import.meta.url), join(root, 'package-lock.json')];
  return [...sources, ...tools].some((path) => statSync(path).mtimeMs > then);
}

/** Bundles main.tsx and what it loads later; gives the name of the first script. */
async function bundleScripts(assets) {
  const { build } = await import('rolldown');
  const { output } = await build({
    input: join(folder, 'main.tsx'),
    cwd: folder,
    platform: 'browser',
    tsconfig: join(folder, 'tsconfig.json'),
    transform: { target: 'es2022' },
    output: {
      dir: assets,
      format: 'esm',
      minify: true,
      entryFileNames: 'console-[hash].js',
      chunkFileNames: '[name]-[hash].js',
    },
    logLevel: 'warn',
  });
  const entry = output.find((chunk) => chunk.type === 'chunk' && chunk.isEntry);
  if (entry === undefined) throw new Error('the bundle has no entry');
  return entry.fileName;
}

/**
 * All style sheets in one: uPlot's, then ours by name, tokens first. What stands in `pages/NAME.css` holds on that page alone, whatever names other pages use.
 */
function styleSheet() {
  const ours = globSync('**/*.css', { cwd: folder })
    .filter((path) => !/^dist/.test(path))
    .sort((a, b) => Number(b.includes('tokens')) - Number(a.includes('tokens')) || (a < b ? -1 : 1));
  const sheets = ours.map((path) => {
    const page = /^pages[\\/](\w+)\.css$/.exec(path)?.[1];
    const sheet = minify(readFileSync(join(folder, path), 'utf8'));
    return page === undefined ? sheet : `.page-${page}{${sheet}}`;
  });
  return [readFileSync(join(root, 'node_modules/uplot/dist/uPlot.min.css'), 'utf8'), ...sheets].join('\n');
}

/** Comments and white space that mean nothing go; our sheets have neither in strings. */
function minify(css) {
  return css
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\s+/g, ' ')
    .replace(/ ?([{};,>]) ?/g, '$1')
    .replace(/: /g, ':')
    .replace(/;}/g, '}')
    .trim();
}

/** Writes a file whose name holds a hash of its content, and gives that name. */
function hashed(target, name, extension, content) {
  const hash = createHash('sha256').update(content).digest('base64url').slice(0, 8).replace(/^-/, '_');
  const file = `${name}-${hash}.${extension}`;
  writeFileSync(join(target, 'assets', file), content);
  return file;
}

function page(names) {
  const html = readFileSync(join(folder, 'index.html'), 'utf8');
  return Object.entries(names).reduce(
    (text, [key, name]) => text.replaceAll(`%${key}%`, `${BASE}assets/${name}`),
    html,
  );
}

/** Writes `.br` and `.gz` beside each file that is worth it; gives the bytes that travel to a browser that takes `br`. */
function compressAll(target) {
  let bytes = 0;
  for (const path of [
    join(target, 'index.html'),
    ...readdirSync(join(target, 'assets')).map((f) => join(target, 'assets', f)),
  ]) {
    const content = readFileSync(path);
    if (content.length < COMPRESS_FROM) {
      bytes += content.length;
      continue;
    }
    const small = brotliCompressSync(content, {
      params: { [constants.BROTLI_PARAM_SIZE_HINT]: content.length },
    });
    writeFileSync(`${path}.br`, small);
    writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
    bytes += small.length;
  }
  return bytes;
}
