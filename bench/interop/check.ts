import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { GlacisError } from '../../src/core/error.ts';
import { startEngine } from '../../src/runtime/engine.ts';
import { blockSizeOf } from '../../src/runtime/layout.ts';
import { CACHE } from '../places.ts';
import { checkFile } from './one-file.ts';
import { page } from './page.ts';
import { type Checked, toleranceOf, verdict } from './verdict.ts';

/** What generate.py wrote. */
interface Manifest {
  readonly versions: Readonly<Record<string, string>>;
  readonly date: string;
  readonly networks: readonly {
    readonly name: string;
    readonly loss: 'cross-entropy' | 'squares';
    readonly exports: readonly {
      readonly export: string;
      readonly file?: string;
      readonly refused?: string;
      readonly reference: string;
      readonly lifted: string;
    }[];
  }[];
}

const USAGE = `node scripts/run.mjs bench/interop/check.ts [options]
  --network NAME   only this network (repeatable)
  --export NAME    only this export (repeatable)
  --write          write docs/interop.md`;

/**
 * Holds the engine against PyTorch on every file that generate.py exported: one line a file, and with `--write` the page
 * docs/interop.md. Leaves with 1 when a file disagrees.
 */
async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      network: { type: 'string', multiple: true },
      export: { type: 'string', multiple: true },
      write: { type: 'boolean' },
    },
  });
  if (values.write && (values.network || values.export))
    throw new GlacisError(
      'option/invalid',
      `--write: expected a check of everything, got a choice\n${USAGE}`,
    );
  const folder = join(CACHE, 'interop');
  const path = join(folder, 'manifest.json');
  if (!existsSync(path)) {
    throw new GlacisError(
      'model/unreadable',
      `${path}: expected exported files; run bench/interop/setup.sh first\n${USAGE}`,
    );
  }
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
  const engine = startEngine({ threads: 1 });
  const block = await blockSizeOf(engine);
  const checked: Checked[] = [];
  for (const { name, loss, exports } of manifest.networks) {
    if (values.network && !values.network.includes(name)) continue;
    for (const { export: how, file, refused, reference, lifted } of exports) {
      if (values.export && !values.export.includes(how)) continue;
      const quantised = /int\d/.test(how);
      const item = { network: name, how, quantised } as const;
      const wanted = { folder, reference, lifted, loss, quantised, tolerance: toleranceOf(item) };
      const one: Checked =
        file === undefined
          ? { ...item, refused: refused! }
          : await checkFile(engine, block, { ...wanted, file }).then(
              (outcome) => ({ ...item, outcome }),
              (error: unknown) => ({ ...item, error: String(error) }),
            );
      checked.push(one);
      const { word, detail } = verdict(one);
      process.stdout.write(`${name.padEnd(20)} ${how.padEnd(32)} ${word.padEnd(10)} ${detail}\n`);
    }
  }
  await engine.close();
  const runtime = createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
  const versions = {
    ...manifest.versions,
    'onnxruntime-node': (JSON.parse(readFileSync(runtime, 'utf8')) as { version: string }).version,
  };
  if (values.write) {
    writeFileSync(
      join(import.meta.dirname, '..', '..', 'docs', 'interop.md'),
      page(checked, {
        versions,
        exported: manifest.date,
        checked: new Date().toISOString().slice(0, 10),
        block,
      }),
    );
  }
  const wrong = checked.filter((c) => verdict(c).word === 'wrong' || verdict(c).word === 'error');
  const count = (word: string) => checked.filter((c) => verdict(c).word === word).length;
  process.stdout.write(
    `${count('ok')} agree, ${wrong.length} do not, ${count('refused')} were refused by the exporter, ${count('exporter')} differ in the file\n`,
  );
  return wrong.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(
    `${error instanceof GlacisError ? `${error.message} (${error.code})` : (error as Error).stack}\n`,
  );
  process.exitCode = 3;
}
