/** Reads what a test run came to. Anything that is not plainly a pass counts as failed. */
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/**
 * Passed, failed and skipped tests of vitest's JSON report. A file that failed without a failed test counts as one
 * failure, and so does a missing report or an exit code that nothing in the report explains.
 *
 * @param {any} report vitest's JSON report, `undefined` when there is none
 * @param {number} exitCode vitest's
 * @param {string} root the folder that file names are given from
 * @returns {{ passed: number, failed: number, skips: { file: string, test: string }[] }}
 */
export function countTests(report, exitCode, root) {
  const counts = { passed: 0, failed: 0, skips: [] };
  for (const file of report?.testResults ?? []) {
    const failedBefore = counts.failed;
    for (const test of file.assertionResults) {
      if (test.status === 'passed') counts.passed++;
      else if (test.status === 'failed') counts.failed++;
      else counts.skips.push({ file: relative(root, file.name).replaceAll('\\', '/'), test: test.fullName });
    }
    if (file.status === 'failed' && counts.failed === failedBefore) counts.failed++;
  }
  if (counts.failed === 0 && (exitCode !== 0 || report === undefined)) counts.failed = 1;
  return counts;
}

/**
 * The failed tests of vitest's JSON report, each in a line: `FILE > TEST: what it said`, so that the end of a long output names them all.
 *
 * @param {any} report
 * @param {string} root the folder that file names are given from
 * @returns {string[]}
 */
export function failedTests(report, root) {
  return (report?.testResults ?? []).flatMap((file) => {
    const name = relative(root, file.name).replaceAll('\\', '/');
    const failed = file.assertionResults.filter((test) => test.status === 'failed');
    if (file.status === 'failed' && failed.length === 0) return [`${name}: ${firstLine(file.message)}`];
    return failed.map((test) => `${name} > ${test.fullName}: ${firstLine(test.failureMessages?.[0])}`);
  });
}

/**
 * The test files whose process V8 ended on its own check of pages of compiled code, which fails now and then where threads end while others compile
 * (nodejs/node#64500). Nothing is known of their tests, so they are run again; a process that ended in any other way is not among them.
 *
 * @param {string} output vitest's
 * @param {string} root the folder that file names are given from
 * @returns {string[]}
 */
export function endedByV8(output, root) {
  const plain = stripVTControlCharacters(output);
  const pattern = /Worker exited unexpectedly with signal (\w+) .*?while running test file (\S+)/g;
  const signals = new Map([...plain.matchAll(pattern)].map(([, signal, file]) => [file, signal]));
  const checks = plain.match(/^# Check failed: jit_page\.has_value\(\)\.$/gm)?.length ?? 0;
  const unhandled = Number(/Vitest caught (\d+) unhandled error/.exec(plain)?.[1] ?? 0);
  // As many checks as processes and errors, or something else went wrong as well.
  const isAll = [...signals.values()].every((signal) => signal === 'SIGTRAP');
  if (!isAll || signals.size !== checks || signals.size !== unhandled) return [];
  return [...signals.keys()].map((file) => relative(root, file ?? '').replaceAll('\\', '/'));
}

function firstLine(message) {
  const [line = ''] = (message ?? '').trim().split('\n');
  return line.length > 300 ? `${line.slice(0, 299)}…` : line;
}

/**
 * The skips that no entry allows. An entry names a file and, if it means only some of its tests, how their full names
 * start.
 *
 * @param {readonly { file: string, test: string }[]} skips
 * @param {readonly { file: string, test?: string, reason: string }[]} allowed
 */
export function unlistedSkips(skips, allowed) {
  return skips.filter(
    ({ file, test }) => !allowed.some((entry) => entry.file === file && test.startsWith(entry.test ?? '')),
  );
}
