import { describe, expect, it } from 'vitest';
import { chiSquareQuantile, chiSquareTail, gammaTail, rateInterval } from './gamma.ts';

const close = (value: number, to: number, relative = 1e-10) =>
  expect(Math.abs(value - to)).toBeLessThanOrEqual(relative * Math.abs(to));

describe('chiSquareTail', () => {
  // scipy 1.17.1, stats.chi2.sf
  it.each([
    [3.84, 1, 0.05004352124870519],
    [20, 10, 0.029252688076961124],
    [150, 100, 0.0009039320423540184],
    [1200, 1000, 1.2255942330622893e-5],
    [0.5, 3, 0.9188914116546758],
    [300, 2, 7.175095973164448e-66],
  ])('of %d with %d degrees of freedom', (x, freedom, p) => close(chiSquareTail(x, freedom), p));

  it('is e^(-x/2) with two degrees of freedom', () => {
    for (const x of [0.1, 1, 2.9, 3.1, 50, 900]) close(chiSquareTail(x, 2), Math.exp(-x / 2), 1e-12);
  });

  it('is 1 at nothing, 0 at infinity', () => {
    expect([gammaTail(2, 0), gammaTail(2, -1), gammaTail(2, Number.POSITIVE_INFINITY)]).toEqual([1, 1, 0]);
  });
});

describe('chiSquareQuantile', () => {
  // scipy 1.17.1, stats.chi2.ppf
  it.each([
    [0.05, 2, 0.10258658877510106],
    [0.95, 40, 55.75847927888702],
    [0.5, 7, 6.345811195521515],
    [0.975, 12, 23.33666415864534],
  ])('of %d with %d', (p, freedom, x) => close(chiSquareQuantile(p, freedom), x, 1e-9));
});

describe('rateInterval', () => {
  // Garwood 1936: scipy 1.17.1, stats.chi2.ppf([.025, .975], [2k, 2k + 2]) / 2
  it.each([
    [0, 0, 3.6888794541139354],
    [1, 0.025317807984289876, 5.571643390938898],
    [5, 1.6234863901184207, 11.66833207932267],
    [20, 12.216519585403944, 30.8883779026746],
  ])('of %d events', (count, low, high) => {
    const interval = rateInterval(count, 1);
    expect(interval[0]).toBeCloseTo(low, 8);
    expect(interval[1]).toBeCloseTo(high, 8);
    expect(rateInterval(count, 10)[1]).toBeCloseTo(high / 10, 9);
  });

  it('knows nothing without time', () => {
    expect(rateInterval(3, 0)).toEqual([0, Number.POSITIVE_INFINITY]);
  });
});
