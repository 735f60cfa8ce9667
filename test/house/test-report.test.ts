import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type AllowedSkip,
  countTests,
  endedByV8,
  failedTests,
  unlistedSkips,
} from '../../scripts/test-report.mjs';
import { ROOT } from './tree.ts';

const file = (status: string, ...tests: string[]) => ({
  name: join(ROOT, 'src/a.test.ts'),
  status,
  assertionResults: tests.map((test, i) => ({ status: test, fullName: `a ${i}` })),
});

describe('what a test run came to', () => {
  it('counts passed, failed and skipped tests', () => {
    const report = {
      testResults: [file('failed', 'passed', 'failed', 'skipped', 'todo'), file('passed', 'passed')],
    };
    expect(countTests(report, 1, ROOT)).toEqual({
      passed: 2,
      failed: 1,
      skips: [
        { file: 'src/a.test.ts', test: 'a 2' },
        { file: 'src/a.test.ts', test: 'a 3' },
      ],
    });
  });

  it('names each failed test, and a file that could not be loaded, in a line of its own', () => {
    const [first, second] = ['failed', 'passed'].map((status, i) => ({
      ...{ status, fullName: `a ${i}`, failureMessages: i === 0 ? ['wrong\n  at here'] : [] },
    }));
    const report = {
      testResults: [
        { name: join(ROOT, 'src/a.test.ts'), status: 'failed', assertionResults: [first, second] },
        { ...file('failed'), name: join(ROOT, 'src/b.test.ts'), message: 'no such module' },
      ],
    };
    expect(failedTests(report, ROOT)).toEqual([
      'src/a.test.ts > a 0: wrong',
      'src/b.test.ts: no such module',
    ]);
    expect(failedTests(undefined, ROOT)).toEqual([]);
  });

  it('counts a file that could not be loaded as a failure', () => {
    expect(countTests({ testResults: [file('failed')] }, 1, ROOT).failed).toBe(1);
    expect(countTests({ testResults: [file('failed', 'passed')] }, 1, ROOT)).toMatchObject({
      passed: 1,
      failed: 1,
    });
  });

  it('counts a missing report, or an exit code that the report does not explain, as a failure', () => {
    expect(countTests(undefined, 0, ROOT).failed).toBe(1);
    expect(countTests({ testResults: [file('passed', 'passed')] }, 1, ROOT)).toMatchObject({
      passed: 1,
      failed: 1,
    });
  });

  it('names the files whose process V8 ended on its check of compiled pages, and nothing else that ended', () => {
    const ended = (signal: string, name: string) =>
      `Caused by: Error: Worker exited unexpectedly with signal ${signal} during started state while running test file ${join(ROOT, name)}\n    at x`;
    const check = '#\n# Check failed: jit_page.has_value().\n#';
    const caught = (count: number) =>
      `Vitest caught ${count} unhandled ${count === 1 ? 'error' : 'errors'} during`;
    const one = [check, caught(1), ended('SIGTRAP', 'src/a.test.ts')];
    expect(endedByV8(one.join('\n'), ROOT)).toEqual(['src/a.test.ts']);
    expect(endedByV8('all is well', ROOT)).toEqual([]);
    expect(endedByV8([caught(1), ended('SIGTRAP', 'src/a.test.ts')].join('\n'), ROOT)).toEqual([]);
    expect(endedByV8([check, caught(1), ended('SIGSEGV', 'src/a.test.ts')].join('\n'), ROOT)).toEqual([]);
    expect(endedByV8([...one, ended('SIGTRAP', 'src/b.test.ts')].join('\n'), ROOT)).toEqual([]);
    expect(endedByV8([check, caught(2), one[2]].join('\n'), ROOT)).toEqual([]);
  });

  it('finds the skips that are not allowed', () => {
    const skips = [
      { file: 'a.test.ts', test: 'reads x' },
      { file: 'a.test.ts', test: 'writes x' },
      { file: 'b.test.ts', test: 'reads x' },
    ];
    const allowed = [{ file: 'a.test.ts', test: 'reads', reason: 'r' }];
    expect(unlistedSkips(skips, allowed)).toEqual(skips.slice(1));
    expect(unlistedSkips(skips, [{ file: 'a.test.ts', reason: 'r' }])).toEqual(skips.slice(2));
    expect(unlistedSkips(skips, [])).toEqual(skips);
  });

  it('allows skips only of files that exist, with a reason', () => {
    const allowed = JSON.parse(
      readFileSync(join(ROOT, 'test/house/allowed-skips.json'), 'utf8'),
    ) as AllowedSkip[];
    for (const entry of allowed) {
      expect(existsSync(join(ROOT, entry.file)), entry.file).toBe(true);
      expect(entry.reason, entry.file).toMatch(/\w+ \w+/);
    }
  });

  it('allows every test of a browser to be skipped where there is none, and says so of each', () => {
    const folder = 'test/browser';
    const skips = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.test.ts'))
      .filter((file) => readFileSync(join(ROOT, folder, file), 'utf8').includes('describe.skipIf('))
      .map((file) => `${folder}/${file.replaceAll('\\', '/')}`);
    const allowed = JSON.parse(
      readFileSync(join(ROOT, 'test/house/allowed-skips.json'), 'utf8'),
    ) as AllowedSkip[];
    const listed = allowed.map(({ file }) => file).filter((file) => file.startsWith(`${folder}/`));
    expect(skips.length).toBeGreaterThan(5);
    expect(listed.toSorted()).toEqual(skips.toSorted());
  });
});
