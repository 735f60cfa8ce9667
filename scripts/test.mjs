/**
 * `npm test`: installs what is missing, then type check, the console's type check and build, lint, dead code and tests, one line each with
 * its time; the last line reads `N passed, N failed, N skipped` (each step before the tests counts as one).
 * `npm run test:slow` (`--slow`) runs the `*.slow.test.ts` files only. Further arguments go to vitest, which then runs
 * alone: `npm test -- src/data`. With CI=true a skip that test/house/allowed-skips.json does not list is a failure.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findNode24 } from '../bin/node24.mjs';
import { ensureInstalled } from './install.mjs';
import { countTests, endedByV8, failedTests, unlistedSkips } from './test-report.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const slow = process.argv.includes('--slow');
const forVitest = process.argv.slice(2).filter((argument) => argument !== '--slow');

const CHECKS = [
  ['types', ['node_modules/typescript/bin/tsc', '-p', '.']],
  ['console', ['node_modules/typescript/bin/tsc', '-p', 'console']],
  ['console built', ['scripts/build-console.mjs', '--if-newer']],
  ['lint', ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.']],
  ['dead code', ['node_modules/knip/bin/knip.js', '--no-progress']],
];

process.exitCode = await runAll();

async function runAll() {
  if (!(await ensureInstalled(root))) return 3;
  const node = findNode24();
  if (node.missing !== undefined) {
    process.stderr.write(`glacis: ${node.missing}\n`);
    return 3;
  }
  const total = { passed: 0, failed: 0, skipped: 0 };
  if (!slow && forVitest.length === 0) {
    for (const [name, args] of CHECKS) {
      const { code, output, seconds } = await step(name, node.path, args);
      report(name, code === 0, seconds);
      if (code !== 0) process.stdout.write(`${output.trimEnd()}\n`);
      total[code === 0 ? 'passed' : 'failed']++;
    }
  }
  const tests = await runTests(node.path);
  for (const key of Object.keys(total)) total[key] += tests[key];
  process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
  return total.failed === 0 ? 0 : 1;
}

/** Runs the tests and counts. Anything that is not plainly a pass counts as failed. */
async function runTests(node) {
  const name = slow ? 'slow tests' : 'tests';
  const { found, code, output, seconds } = await vitest(name, node, forVitest);
  const ended = found === undefined ? [] : endedByV8(output, root);
  const again = ended.length > 0 ? await vitest(name, node, ended) : undefined;
  // Without a report of the second run nothing is known of those files, whatever it ended with.
  const results = again
    ? again.found && { testResults: [...others(found, ended), ...again.found.testResults] }
    : found;
  const counts = countTests(results, again ? again.code : code, root);
  const allowed = read(join(root, 'test/house/allowed-skips.json')) ?? [];
  const unlisted = process.env.CI === 'true' ? unlistedSkips(counts.skips, allowed) : [];
  const good = counts.failed === 0 && unlisted.length === 0;
  report(name, good, seconds + (again?.seconds ?? 0));
  for (const file of ended)
    process.stdout.write(`  ended by V8 (nodejs/node#64500) and run again: ${file}\n`);
  if (counts.failed > 0) process.stdout.write(`${(again ? output + again.output : output).trimEnd()}\n`);
  for (const skip of counts.skips) process.stdout.write(`  skipped: ${skip.file}: ${skip.test}\n`);
  for (const skip of unlisted) {
    process.stdout.write(
      `  not on the list of allowed skips (test/house/allowed-skips.json): ${skip.file}: ${skip.test}\n`,
    );
  }
  for (const failed of failedTests(results, root)) process.stdout.write(`  failed: ${failed}\n`);
  return {
    passed: counts.passed,
    failed: counts.failed + unlisted.length,
    skipped: counts.skips.length - unlisted.length,
  };
}

/** One run of vitest, with its JSON report. */
async function vitest(name, node, args) {
  const folder = mkdtempSync(join(tmpdir(), 'glacis-test-'));
  const file = join(folder, 'report.json');
  try {
    const run = ['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json'];
    const ran = await step(name, node, [...run, `--outputFile.json=${file}`, ...args]);
    return { ...ran, found: read(file) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The results of a report that are of none of these files. */
function others(found, files) {
  const left = new Set(files.map((file) => join(root, file)));
  return (found?.testResults ?? []).filter(({ name }) => !left.has(name));
}

/** A file's JSON, or `undefined` when it is missing or damaged (vitest ended before it could write its report). */
function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Runs one step with its output kept back; `name` is shown at once on a terminal, so that the wait has a name. */
function step(name, node, args) {
  if (process.stdout.isTTY) process.stdout.write(`${name.padEnd(13)} …\r`);
  const started = performance.now();
  return new Promise((resolve) => {
    const colour = process.stdout.isTTY ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' };
    const env = { ...process.env, ...colour, ...(slow ? { GLACIS_TEST_SLOW: '1' } : {}) };
    const child = spawn(node, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    const done = (code) => {
      resolve({
        code,
        output: Buffer.concat(chunks).toString('utf8'),
        seconds: (performance.now() - started) / 1000,
      });
    };
    child.once('error', (error) => {
      chunks.push(Buffer.from(error.message));
      done(1);
    });
    child.once('close', (code) => done(code ?? 1));
  });
}

function report(name, good, seconds) {
  process.stdout.write(`${name.padEnd(13)} ${good ? 'ok' : 'FAILED'} ${seconds.toFixed(1)} s\n`);
}
