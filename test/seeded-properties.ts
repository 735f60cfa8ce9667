import fc from 'fast-check';

// Tests get this module where they import fast-check (vitest.config.ts).
// The same cases in every run, so that a change is judged by what it changes; `GLACIS_TEST_SEED=random`, or a number, draws others.
const { GLACIS_TEST_SEED: seed = '20261122' } = process.env;
if (seed !== 'random') {
  if (!/^-?\d{1,9}$/.test(seed))
    throw new Error(
      `GLACIS_TEST_SEED: expected random or a whole number of at most nine digits, got ${seed}`,
    );
  fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(seed) });
}

export * from 'fast-check';
export default fc;
