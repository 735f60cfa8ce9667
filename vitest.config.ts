import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** `*.slow.test.ts` (installs, browsers, long attacks) run with `npm run test:slow`, all others with `npm test`. */
const slow = process.env.GLACIS_TEST_SLOW === '1';
const tests = '{src,test,bench,examples,console}/**/*';

const properties = fileURLToPath(new URL('test/seeded-properties.ts', import.meta.url));

export default defineConfig({
  plugins: [
    {
      name: 'seeded-properties',
      enforce: 'pre',
      resolveId: (id, importer) => (id === 'fast-check' && importer !== properties ? properties : null),
    },
  ],
  test: {
    include: [slow ? `${tests}.slow.test.ts` : `${tests}.test.ts`],
    exclude: ['**/node_modules/**', '**/dist/**', '**/venv/**', ...(slow ? [] : ['**/*.slow.test.ts'])],
    globalSetup: ['test/servers/run-folder.ts'],
    // Processes and not threads: a worker thread that is ended during a native run takes the whole process with it.
    pool: 'forks',
    // As many as there are cores: one less is the default, and half the machine on two.
    maxWorkers: '100%',
    // Far more than any test takes on a quiet machine: only what hangs should fail.
    testTimeout: slow ? 600_000 : 120_000,
    hookTimeout: slow ? 600_000 : 120_000,
    // What is polled for comes when the machine gets round to it; a second is the default.
    expect: { poll: { timeout: 60_000 } },
  },
});
