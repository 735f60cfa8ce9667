import fc from 'fast-check';
import { expect, it } from 'vitest';
import { namesInModel } from './model-class-names.ts';

const of = (entries: Readonly<Record<string, string>>, classes = 3) =>
  namesInModel(new Map(Object.entries(entries)), classes);

it('names of classes are read as exporters write them into a model', () => {
  const names = ['stop', "driver's side", 'no, entry'];
  expect(of({ class_names: JSON.stringify(names) })).toEqual(names);
  expect(of({ id2label: JSON.stringify(Object.fromEntries(names.entries())) })).toEqual(names);
  expect(of({ names: `{0: 'stop', 1: "driver's side", 2: 'no, entry'}` })).toEqual(names);
  expect(of({ names: String.raw`{2: 'no, entry', 0: 'stop', 1: 'driver\'s side'}` })).toEqual(names);
  expect(of({ labels: 'stop, yield,go' })).toEqual(['stop', 'yield', 'go']);
  expect(of({ classes: 'stop\r\nyield\r\ngo\n' })).toEqual(['stop', 'yield', 'go']);
  // An entry that does not fit hides none that does.
  expect(of({ class_names: '["a", "b"]', labels: 'a,b,c' })).toEqual(['a', 'b', 'c']);
});

it('names that do not fit the model are none', () => {
  for (const text of [
    '',
    'a,b',
    '["a", "b", 3]',
    '{"0": "a", "1": "b", "3": "c"}',
    "{0: 'a', 1: 'b'}",
    '{',
    '[[[',
  ])
    expect(of({ names: text }), text).toBeUndefined();
  expect(of({ names: `a,b,${'c'.repeat(501)}` })).toBeUndefined();
  expect(of({ names: 'a,b,c' }, 1)).toBeUndefined();
  expect(of({ names: `{0: '${'\\\\'.repeat(300_000)}` })).toBeUndefined();
});

it('whatever the metadata holds, there are as many names as classes, or none', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc
      .array(fc.constantFrom('{', '}', '0', '1', ':', "'", '"', ',', ' ', '\\', '\n', 'a'))
      .map((all) => all.join('')),
  );
  fc.assert(
    fc.property(text, fc.integer({ min: 0, max: 4 }), (names, classes) => {
      const found = of({ names }, classes);
      expect(found === undefined || found.length === classes).toBe(true);
    }),
  );
});
