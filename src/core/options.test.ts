import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GlacisError } from './error.ts';
import { mergeOptions, parseSpecs, suggestion } from './options.ts';

describe('parseSpecs', () => {
  it('reads names with and without options', () => {
    expect(parseSpecs('fgsm,pgd(steps=40, stepSize=0.01) , bim ( rounding = straight-through )')).toEqual([
      { name: 'fgsm', options: {} },
      { name: 'pgd', options: { steps: 40, stepSize: 0.01 } },
      { name: 'bim', options: { rounding: 'straight-through' } },
    ]);
  });

  it.each<[string, number | string | boolean]>([
    ['8/255', 8 / 255],
    ['8 / 255', 8 / 255],
    ['-1.5e-3', -0.0015],
    ['+2', 2],
    ['.5', 0.5],
    ['3.', 3],
    ['1e2/1e3', 0.1],
    ['true', true],
    ['false', false],
    ['True', 'True'],
    ['0x10', '0x10'],
    ['1/2/3', '1/2/3'],
    ['--1', '--1'],
    ['Infinity', 'Infinity'],
    ['a file.npz', 'a file.npz'],
    ['über', 'über'],
  ])('reads the value %s', (raw, value) => {
    expect(parseSpecs(`a(k=${raw})`)).toEqual([{ name: 'a', options: { k: value } }]);
  });

  it('reads an empty list of options and a comma at its end', () => {
    expect(parseSpecs('a(),b( ),c(k=1,)')).toEqual([
      { name: 'a', options: {} },
      { name: 'b', options: {} },
      { name: 'c', options: { k: 1 } },
    ]);
  });

  it.each([
    ['', 'a name at position 1, got the end'],
    ['fgsm,', 'a name at position 6, got the end'],
    [',fgsm', "a name at position 1, got ','"],
    ['1pgd', "a name at position 1, got '1'"],
    ['a b', "',' at position 3, got 'b'"],
    ['a(k)', "'=' at position 4, got ')'"],
    ['a(k=)', "a value at position 5, got ')'"],
    ['a(k=1', "',' or ')' at position 6, got the end"],
    ['a(k=1(', "',' or ')' at position 6, got '('"],
    ['a(k=1))', "',' at position 7, got ')'"],
    ['a(=1)', "an option at position 3, got '='"],
    ['a(k=1/0)', "a finite number at position 5, got '1'"],
    ['a(k=1e999)', "a finite number at position 5, got '1'"],
    ['a(k=1,k=2)', "'k' once at position 7, got 'k'"],
    ['a(__proto__=1)', "an option at position 3, got '_'"],
    ['__proto__', "a name at position 1, got '_'"],
  ])('refuses %j with the place', (text, place) => {
    expect(() => parseSpecs(text)).toThrow(new GlacisError('option/invalid', `'${text}': expected ${place}`));
  });

  it('keeps keys that name members of every object as plain keys', () => {
    const [spec] = parseSpecs('a(constructor=1, toString=2, hasOwnProperty=3)');
    expect(Object.entries(spec!.options)).toEqual([
      ['constructor', 1],
      ['toString', 2],
      ['hasOwnProperty', 3],
    ]);
    expect(Object.getPrototypeOf(spec!.options)).toBe(Object.prototype);
  });

  it('reads back whatever was written, spaces or not', () => {
    const name = fc.stringMatching(/^[A-Za-z][\w-]{0,6}$/);
    const value = fc.oneof(
      fc.boolean(),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((v) => (v === 0 ? 0 : v)),
      fc.stringMatching(/^[g-s][a-z. /_-]{0,6}[g-s]$/),
    );
    const blank = fc.stringMatching(/^ {0,2}$/);
    fc.assert(
      fc.property(
        fc.array(fc.record({ name, options: fc.dictionary(name, value, { maxKeys: 4 }) }), {
          minLength: 1,
          maxLength: 4,
        }),
        blank,
        (specs, s) => {
          const text = specs
            .map(({ name, options }) => {
              const entries = Object.entries(options).map(([k, v]) => `${s}${k}${s}=${s}${v}${s}`);
              return `${s}${name}${s}${entries.length > 0 ? `(${entries.join(',')})` : ''}${s}`;
            })
            .join(',');
          expect(parseSpecs(text)).toEqual(
            specs.map(({ name, options }) => ({ name, options: { ...options } })),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it('answers any text with specs or option/invalid, quickly', () => {
    const hostile = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'ab(),= /.0e_-') }));
    fc.assert(
      fc.property(hostile, (text) => {
        try {
          expect(parseSpecs(text).length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toMatchObject({ name: 'GlacisError', code: 'option/invalid' });
        }
      }),
      { numRuns: 500 },
    );
    expect(() => parseSpecs(`a(k=${'1'.repeat(20_000)}x${'('.repeat(20_000)}`)).toThrow(GlacisError);
  });
});

describe('mergeOptions', () => {
  const defaults = { steps: 40, rounding: 'zero', verbose: false };

  it('puts what was given over the defaults and changes neither', () => {
    const given = { steps: 3 };
    expect(mergeOptions('pgd', defaults, given)).toEqual({ steps: 3, rounding: 'zero', verbose: false });
    expect(mergeOptions('pgd', defaults, {})).toEqual(defaults);
    expect(defaults.steps).toBe(40);
    expect(given).toEqual({ steps: 3 });
  });

  it('names the nearest option for an unknown one', () => {
    expect(() => mergeOptions('pgd', defaults, { step: 1 })).toThrow(
      new GlacisError(
        'option/unknown',
        "pgd: expected an option of steps, rounding, verbose, got 'step' (did you mean 'steps'?)",
      ),
    );
    expect(() => mergeOptions('fgsm', {}, { x: 1 })).toThrow(/expected an option of none, got 'x'$/);
  });

  it.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])('refuses the key %s', (key) => {
    const given = JSON.parse(`{ "${key}": { "polluted": true } }`) as Record<string, unknown>;
    expect(() => mergeOptions('pgd', defaults, given)).toThrow(GlacisError);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it.each<[string, unknown, string]>([
    ['steps', '40', "expected steps to be a number, got '40'"],
    ['steps', true, 'expected steps to be a number, got boolean'],
    ['steps', undefined, 'expected steps to be a number, got undefined'],
    ['steps', Object.create(null), 'expected steps to be a number, got object'],
    ['rounding', 1, 'expected rounding to be a string, got number'],
  ])('refuses a value of another type for %s', (key, value, message) => {
    expect(() => mergeOptions('pgd', defaults, { [key]: value })).toThrow(
      new GlacisError('option/invalid', `pgd: ${message}`),
    );
  });

  it('takes anything where the default is null', () => {
    expect(mergeOptions('a', { path: null as unknown }, { path: 'x' })).toEqual({ path: 'x' });
  });
});

describe('suggestion', () => {
  it('is within two edits, whatever the case, or nothing', () => {
    expect(suggestion('STEPZ', ['restarts', 'steps'])).toBe(" (did you mean 'steps'?)");
    expect(suggestion('momentum', ['restarts', 'steps'])).toBe('');
    expect(suggestion('x', [])).toBe('');
    expect(suggestion('s'.repeat(1_000_000), ['steps'])).toBe('');
  });
});
