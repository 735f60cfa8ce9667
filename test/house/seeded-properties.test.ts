import fc from 'fast-check';
import { expect, it } from 'vitest';

it('properties are tried with the same cases in every run, unless others are asked for', () => {
  const { seed } = fc.readConfigureGlobal() ?? {};
  if (process.env.GLACIS_TEST_SEED === 'random') expect(seed).toBeUndefined();
  else expect(seed).toBe(Number(process.env.GLACIS_TEST_SEED ?? 20_261_122));
});
