import { describe, expect, it } from 'vitest';
import { GlacisError } from '../core/error.ts';
import { type OptionTable, readArgs } from './args.ts';
import { LOAD_OPTIONS, loadOptionsFrom } from './load-options.ts';

const TABLE: OptionTable = {
  eps: { value: 'LIST', help: '' },
  steps: { value: 'N', help: '' },
  fix: { value: 'NAME=FILE', help: '', many: true },
  quiet: { help: '' },
};

/** Code and message of what `work` throws. */
function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof GlacisError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'nothing was thrown';
}

describe('readArgs', () => {
  it('reads options in both spellings, switches and positionals in any order', () => {
    const given = readArgs(['a', '--eps=1', '--quiet', 'b', '--steps', '3', '--', '--c'], TABLE);
    expect(given.positionals).toEqual(['a', 'b', '--c']);
    expect(given.text('eps')).toBe('1');
    expect(given.whole('steps', 1)).toBe(3);
    expect(given.flag('quiet')).toBe(true);
    expect(given.flag('fix')).toBe(false);
  });

  it('takes underscores in names for hyphens, where there is such an option and before --', () => {
    const table = { 'private-key': { value: 'FILE', help: '' }, 'use-staging': { help: '' } };
    const given = readArgs(['--private_key=a_b', '--use_staging', '--', '--use_staging'], table);
    expect([given.text('private-key'), given.flag('use-staging')]).toEqual(['a_b', true]);
    expect(given.positionals).toEqual(['--use_staging']);
    expect(readArgs(['--private_key', 'x'], table).text('private-key')).toBe('x');
    expect(refusal(() => readArgs(['--public_key', 'x'], table))).toContain('option/unknown: --public_key');
  });

  it('takes a value that begins with a dash', () => {
    expect(readArgs(['--eps', '-0.1'], TABLE).text('eps')).toBe('-0.1');
  });

  it('collects what may be given several times', () => {
    expect(readArgs(['--fix', 'a=1', '--fix=b=2'], TABLE).texts('fix')).toEqual(['a=1', 'b=2']);
  });

  it.each([
    [['--epss', '1'], "option/unknown: --epss: there is no such option (did you mean '--eps'?)"],
    [['--no-quiet'], 'option/unknown: --no-quiet: there is no such option; --help lists them'],
    [['-q'], 'option/unknown: -q: there is no such option'],
    [['--__proto__', 'x'], 'option/unknown: --__proto__: there is no such option'],
    [['--eps'], 'option/invalid: --eps: expected LIST, got nothing'],
    [['--eps', '--quiet'], 'option/invalid: --eps: expected LIST, got nothing'],
    [['--eps='], 'option/invalid: --eps: expected LIST, got nothing'],
    [['--quiet=yes'], "option/invalid: --quiet: expected no value, got 'yes'"],
    [['--eps', '1', '--eps', '2'], 'option/invalid: --eps: expected it once, got it twice'],
  ])('refuses %j', (args, message) => {
    expect(refusal(() => readArgs(args, TABLE))).toContain(message);
  });

  it.each([
    ['0', 'at least 1'],
    ['1.5', 'whole number'],
    ['1e3', 'whole number'],
    ['many', 'whole number'],
    ['99999999999999999999', 'whole number'],
  ])('refuses the count %s', (text, message) => {
    expect(refusal(() => readArgs(['--steps', text], TABLE).whole('steps', 1))).toContain(message);
  });

  it('reads lists of numbers and refuses anything else in them', () => {
    expect(readArgs(['--eps', '1, 2.5,-3'], TABLE).numbers('eps')).toEqual([1, 2.5, -3]);
    expect(refusal(() => readArgs(['--eps', '1,,2'], TABLE).numbers('eps'))).toContain("got '1,,2'");
    expect(refusal(() => readArgs(['--eps', '1,x'], TABLE).numbers('eps'))).toContain("got '1,x'");
  });

  it('suggests the nearest choice', () => {
    const given = readArgs(['--eps', 'hihg'], TABLE);
    expect(refusal(() => given.choice('eps', ['low', 'high']))).toContain("did you mean 'high'");
  });
});

describe('loadOptionsFrom', () => {
  const read = (...args: string[]) => loadOptionsFrom(readArgs(args, LOAD_OPTIONS), 'assess');

  it('asks for what is missing and refuses what is too much', () => {
    expect(refusal(() => read())).toContain('expected MODEL');
    expect(refusal(() => read('m.onnx'))).toContain('expected --data DATA');
    expect(refusal(() => read('m.onnx', 'n.onnx', '--data', 'd'))).toContain("got 'n.onnx' as well");
  });

  it.each([
    [['--n', '0'], '--n: expected a whole number of at least 1'],
    [['--range', '1'], '--range: expected two numbers'],
    [['--std', '0.5,0,1'], '--std: expected numbers above 0'],
    [['--tolerance', '-1'], '--tolerance: expected numbers above 0'],
    [['--shape', '3,0,2'], '--shape: expected sizes of at least 1'],
    [['--fix', 'x'], '--fix: expected NAME=FILE.npy'],
    [['--layout', 'nhcw'], '--layout: expected nchw, nhwc, auto'],
    [['--task', 'clasification'], "did you mean 'classification'"],
  ])('refuses %j', (args, message) => {
    expect(refusal(() => read('m.onnx', '--data', 'd', ...args))).toContain(message);
  });

  it('reads inputs that are not attacked by name', () => {
    const { fix } = read('m.onnx', '--data', 'd', '--fix', 'mask=m.npy', '--fix', 'scale=s=1.npy');
    expect(fix).toEqual({ mask: 'm.npy', scale: 's=1.npy' });
  });
});
