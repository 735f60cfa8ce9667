/**
 * `node scripts/run.mjs FILE [ARGUMENT…]`: installs what is missing, then runs FILE of this repository under Node 24.
 * Works from Node 20 on; leaves with FILE's exit code, or 3 when it could not be started.
 */

import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findNode24, runNode } from '../bin/node24.mjs';
import { ensureInstalled } from './install.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [file, ...args] = process.argv.slice(2);

process.exitCode = await run();

async function run() {
  if (file === undefined) return refuse('usage: node scripts/run.mjs FILE [ARGUMENT…]');
  const script = resolve(root, file);
  if (!existsSync(script)) return refuse(`${file} does not exist in this repository`);
  if (!(await ensureInstalled(root))) return 3;
  const node = findNode24();
  if (node.missing !== undefined) return refuse(node.missing);
  return runNode(node.path, [script, ...args]);
}

function refuse(reason) {
  process.stderr.write(`glacis: ${reason}\n`);
  return 3;
}
