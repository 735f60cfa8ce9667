#!/usr/bin/env node
/**
 * The launcher of `glacis`. In the repository it runs the sources, in the published package the compiled program; under
 * an older Node it starts itself again with the Node 24 it finds, or says what is missing and leaves with 3.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { keepCompiledCode } from './compile-cache.mjs';
import { findNode24, runNode, runsNode24 } from './node24.mjs';

const COULD_NOT_FINISH = 3;

process.exitCode = runsNode24() ? await runHere() : await runAgain();

async function runAgain() {
  const node = findNode24();
  if (node.missing !== undefined) return refuse(node.missing);
  return runNode(node.path, [fileURLToPath(import.meta.url), ...process.argv.slice(2)]);
}

async function runHere() {
  const program = [
    new URL('../src/cli/main.ts', import.meta.url),
    new URL('../dist/cli/main.js', import.meta.url),
  ].find((url) => existsSync(url));
  if (program === undefined) {
    return refuse(
      'this copy has neither src/cli/main.ts nor dist/cli/main.js, so there is no command line to run. Install the package again, or run: npm run build',
    );
  }
  hideExperimentalWarnings();
  keepCompiledCode();
  process.stdout.on('error', leaveWhenNobodyReads);
  let main;
  try {
    ({ main } = await import(program.href));
  } catch (error) {
    if (error?.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    return refuse(`${error.message.split('\n')[0]}. If the packages are not installed yet, run: npm ci`);
  }
  return main(process.argv.slice(2));
}

function refuse(reason) {
  process.stderr.write(`glacis: ${reason}\n`);
  return COULD_NOT_FINISH;
}

/** `glacis … | head`: ends without a stack trace, and never with a good verdict that was not reached. */
function leaveWhenNobodyReads(error) {
  if (error.code !== 'EPIPE') throw error;
  process.exit(COULD_NOT_FINISH);
}

/**
 * Early releases of Node 24 warn about running TypeScript and all of them about `node:sqlite`: both are chosen knowingly
 * and say nothing to the person at the terminal. Every other warning stays.
 */
function hideExperimentalWarnings() {
  const emitWarning = process.emitWarning;
  process.emitWarning = (warning, ...rest) => {
    const type = typeof rest[0] === 'object' && rest[0] !== null ? rest[0].type : rest[0];
    if ((warning instanceof Error ? warning.name : type) === 'ExperimentalWarning') return;
    emitWarning.call(process, warning, ...rest);
  };
}
