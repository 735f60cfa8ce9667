/**
 * Writes random pickle streams with what Glacis's machine makes of them, one JSON object a line:
 * `node bench/interop/scan/streams.ts COUNT SEED > streams.jsonl`. cpython.py runs the same streams on CPython's unpicklers.
 */

import { randomFrom } from '../../../src/core/random.ts';
import { memorySource } from '../../../src/data/byte-source.ts';
import { DEFAULT_SCAN_LIMITS, newBudget } from '../../../src/supply/scan/limits.ts';
import { Judge } from '../../../src/supply/scan/pickle/judge.ts';
import { bytes, op } from '../../../src/supply/scan/pickle/pickle.fixture.ts';
import { runPickle } from '../../../src/supply/scan/pickle/run.ts';
import type { GlobalName } from '../../../src/supply/scan/pickle/value.ts';

const [count = '1000', seed = '1'] = process.argv.slice(2);
const rng = randomFrom(Number(seed), 'streams');
const pick = <T>(items: readonly T[]): T => items[Math.floor(rng.uniform() * items.length)]!;
const text = () => pick(['os', 'mod', 'f', 'g', 'x', 'a.b', '']);

/** What puts a value on the stack. */
const PUSHES: readonly (() => Uint8Array)[] = [
  () => op('MARK'),
  () => op('EMPTY_TUPLE'),
  () => op('EMPTY_LIST'),
  () => op('EMPTY_DICT'),
  () => op('NONE'),
  () => op('SHORT_BINUNICODE', text()),
  () => bytes(op('SHORT_BINUNICODE', 'mod'), op('MEMOIZE')),
  () => op('GLOBAL', 'mod', text()),
  () => bytes(op('SHORT_BINUNICODE', text()), op('SHORT_BINUNICODE', text()), op('STACK_GLOBAL')),
  () => bytes(op('GLOBAL', 'mod', 'C'), op('EMPTY_TUPLE'), op('REDUCE')),
];

/** Opcodes with arguments that often make sense. */
const PARTS: readonly (() => Uint8Array)[] = [
  ...[
    'MARK',
    'POP',
    'POP_MARK',
    'DUP',
    'NONE',
    'NEWTRUE',
    'EMPTY_LIST',
    'EMPTY_TUPLE',
    'EMPTY_DICT',
    'EMPTY_SET',
  ],
  ...[
    'TUPLE',
    'TUPLE1',
    'TUPLE2',
    'TUPLE3',
    'LIST',
    'DICT',
    'FROZENSET',
    'APPEND',
    'APPENDS',
    'SETITEM',
    'SETITEMS',
    'ADDITEMS',
  ],
  ...['REDUCE', 'NEWOBJ', 'OBJ', 'STACK_GLOBAL', 'STACK_GLOBAL', 'MEMOIZE', 'MEMOIZE', 'BUILD'],
]
  .map((name) => () => op(name))
  .concat([
    () => op('SHORT_BINUNICODE', text()),
    () => op('SHORT_BINUNICODE', text()),
    () => op('BINUNICODE', text()),
    () => op('SHORT_BINSTRING', text()),
    () => op('STRING', pick(["'os'", '"mod"', "'\\x66'", "'", 'x'])),
    () => op('UNICODE', pick(['os', '\\u0066', 'mod'])),
    () => op('BINPUT', pick([0, 1, 2, 7])),
    () => op('PUT', pick(['0', '3', '1_0', 'x'])),
    () => op('BINGET', pick([0, 1, 2, 7])),
    () => op('GET', pick(['0', '3', '10'])),
    () => op('LONG_BINPUT', pick([0, 5, 70_000])),
    () => op('LONG_BINGET', pick([0, 5, 70_000])),
    () => op('GLOBAL', pick(['os', 'mod', '__builtin__']), pick(['f', 'a.b'])),
    () => op('INST', 'mod', 'f'),
    () => op('BININT1', pick([0, 1, 255])),
    () => op('INT', pick(['0', '01', '00', '0x1F', '-5', 'x', '1_0'])),
    () => op('LONG', pick(['5L', '7', '0xffL', 'L'])),
    () => op('LONG1', new Uint8Array(pick([[], [255], [0, 1]]))),
    () => op('BINBYTES', new Uint8Array([1, 2])),
    () => op('PROTO', pick([2, 4, 5, 6])),
    () => op('FLOAT', pick(['1.5', 'x'])),
    () => op('STOP'),
  ]);

for (let i = 0; i < Number(count); i++) {
  const length = 2 + Math.floor(rng.uniform() * 24);
  const stream = bytes(
    op('PROTO', pick([0, 2, 4])),
    ...Array.from({ length }, () => pick(rng.uniform() < 0.6 ? PUSHES : PARTS)()),
    op('STOP'),
  );
  const judge = new Judge({ torch: false, script: false });
  const names: string[] = [];
  const look = judge.global.bind(judge);
  judge.global = (module, name, protocol, at): GlobalName => {
    const found = look(module, name, protocol, at);
    names.push(`${found.module}:${found.name}`);
    return found;
  };
  const budget = newBudget(DEFAULT_SCAN_LIMITS, () => 0);
  const { stopped, end } = await runPickle(memorySource(stream, ''), 0, judge, budget);
  process.stdout.write(
    `${JSON.stringify({ stream: Buffer.from(stream).toString('base64'), stopped, end, names })}\n`,
  );
}
