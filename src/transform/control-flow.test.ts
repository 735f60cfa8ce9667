import { describe, expect, it } from 'vitest';
import { type AttributeInput, attributesFrom } from '../onnx/attributes.ts';
import type { Attribute, Graph, Model, Node, ValueInfo } from '../onnx/model.ts';
import { boolTensor, float32Tensor, int64Tensor, type Tensor } from '../onnx/tensor.ts';
import { distance, randomTensor, runModel, specialised } from './one-node.fixture.ts';
import { specialise } from './specialise.ts';

type Attrs = Readonly<Record<string, AttributeInput>>;
const node = (op: string, inputs: string, outputs: string, attributes: Attrs = {}): Node => ({
  op,
  domain: '',
  name: `${op}_${outputs.split(' ')[0]}`,
  inputs: inputs.split(' ').map((n) => (n === '_' ? '' : n)),
  outputs: outputs.split(' '),
  attributes: attributesFrom(attributes),
});
const info = (
  name: string,
  dtype: 'float32' | 'int64' | 'bool' = 'float32',
  dims?: readonly number[],
): ValueInfo => ({
  name,
  type: { kind: 'tensor', dtype, dims },
});
const body = (
  inputs: readonly ValueInfo[],
  outputs: readonly ValueInfo[],
  nodes: readonly Node[],
  constants: Readonly<Record<string, Tensor>> = {},
): Attribute => ({ kind: 'graph', value: graph(inputs, outputs, nodes, constants) });
function graph(
  inputs: readonly ValueInfo[],
  outputs: readonly ValueInfo[],
  nodes: readonly Node[],
  constants: Readonly<Record<string, Tensor>> = {},
): Graph {
  return {
    name: 'g',
    inputs,
    outputs,
    nodes,
    initializers: new Map(Object.entries(constants)),
    valueTypes: new Map(),
  };
}
const model = (
  outputs: readonly ValueInfo[],
  nodes: readonly Node[],
  constants: Readonly<Record<string, Tensor>> = {},
  inputs: readonly ValueInfo[] = [info('x', 'float32', [2, 3])],
  opset = 17,
): Model => ({
  irVersion: 8,
  opsets: new Map([['', opset]]),
  graph: graph(inputs, outputs, nodes, constants),
  functions: [],
  producer: 'test',
  metadata: new Map(),
});

const yes = boolTensor([], [true]);
const no = boolTensor([], [false]);
const n = (value: number) => int64Tensor([], [value]);
const condition = info('c', 'bool', []);
const counter = info('i', 'int64', []);
const state = info('s', 'float32', [2, 3]);

const double = body(
  [counter, condition, state],
  [condition, info('t'), info('row')],
  [node('Add', 's s', 't'), node('ReduceSum', 't axis', 'row', { keepdims: 0 })],
  { axis: int64Tensor([1], [1]) },
);

const scan = (attributes: Attrs, nodes: readonly Node[], outputs = 'f y') =>
  model(
    [info('f'), info('y')],
    [
      node('Scan', 'init x', outputs, {
        num_scan_inputs: 1,
        ...attributes,
        body: body([info('s', 'float32', [3]), info('e', 'float32', [3])], [info('t'), info('o')], nodes),
      }),
    ],
    { init: float32Tensor([3], [1, 2, 3]) },
  );
const running = [node('Add', 's e', 't'), node('Mul', 't e', 'o')];

const cases: readonly (readonly [string, Model])[] = [
  ...[yes, no].map(
    (which, i) =>
      [
        `If takes branch ${i}, which reads outer values`,
        model(
          [info('y')],
          [
            node('Relu', 'x', 'h'),
            node('If', 'which', 'y', {
              then_branch: body([], [info('a')], [node('Add', 'h x', 'a')]),
              else_branch: body([], [info('b')], [node('Mul', 'h k', 'b')], { k: float32Tensor([], [3]) }),
            }),
          ],
          { which },
        ),
      ] as const,
  ),
  [
    'If whose condition follows from shapes',
    model(
      [info('y')],
      [
        node('Shape', 'x', 'shape'),
        node('Gather', 'shape zero', 'rows'),
        node('Equal', 'rows two', 'which'),
        node('If', 'which', 'y', {
          then_branch: body([], [info('a')], [node('Neg', 'x', 'a')]),
          else_branch: body([], [info('b')], [node('Abs', 'x', 'b')]),
        }),
      ],
      { zero: n(0), two: n(2) },
    ),
  ],
  [
    'If inside If',
    model(
      [info('y')],
      [
        node('If', 'p', 'y', {
          then_branch: body(
            [],
            [info('a')],
            [
              node('Neg', 'x', 'm'),
              node('If', 'q', 'a', {
                then_branch: body([], [info('u')], [node('Add', 'm x', 'u')]),
                else_branch: body([], [info('v')], [node('Sub', 'm x', 'v')]),
              }),
            ],
          ),
          else_branch: body([], [info('b')], [node('Abs', 'x', 'b')]),
        }),
      ],
      { p: yes, q: no },
    ),
  ],
  [
    'If that gives an outer value',
    model(
      [info('y')],
      [
        node('Exp', 'x', 'h'),
        node('If', 'p', 'y', {
          then_branch: body([], [info('a')], [node('Identity', 'h', 'a')]),
          else_branch: body([], [info('b')], [node('Abs', 'x', 'b')]),
        }),
      ],
      { p: yes },
    ),
  ],
  [
    'Loop with scan outputs',
    model([info('f'), info('rows')], [node('Loop', 'trips p x', 'f rows', { body: double })], {
      trips: n(3),
      p: yes,
    }),
  ],
  [
    'Loop without a condition',
    model([info('f'), info('rows')], [node('Loop', 'trips _ x', 'f rows', { body: double })], {
      trips: n(2),
    }),
  ],
  [
    'Loop of no trips',
    model(
      [info('f')],
      [
        node('Loop', 'trips p x', 'f', {
          body: body([counter, condition, state], [condition, info('t')], [node('Add', 's s', 't')]),
        }),
      ],
      { trips: n(0), p: yes },
    ),
  ],
  [
    'Loop whose condition is false',
    model(
      [info('f')],
      [
        node('Loop', 'trips p x', 'f', {
          body: body([counter, condition, state], [condition, info('t')], [node('Add', 's s', 't')]),
        }),
      ],
      { trips: n(5), p: no },
    ),
  ],
  [
    'Loop that counts to its end inside its body',
    model(
      [info('f')],
      [
        node('Loop', '_ p x', 'f', {
          body: body(
            [counter, condition, state],
            [info('d', 'bool'), info('t')],
            [node('Add', 's s', 't'), node('Less', 'i last', 'd')],
            { last: n(3) },
          ),
        }),
      ],
      { p: yes },
    ),
  ],
  [
    'Loop in a Loop, both with the outer counter',
    model(
      [info('f')],
      [
        node('Loop', 'three p x', 'f', {
          body: body(
            [counter, condition, state],
            [condition, info('t')],
            [
              node('Loop', 'two c s', 't', {
                body: body(
                  [info('j', 'int64', []), info('d', 'bool', []), info('r', 'float32', [2, 3])],
                  [info('d', 'bool'), info('w')],
                  [node('Add', 'i j', 'k'), node('Cast', 'k', 'kf', { to: 1 }), node('Add', 'r kf', 'w')],
                ),
              }),
            ],
          ),
        }),
      ],
      { three: n(3), two: n(2), p: yes },
    ),
  ],
  [
    'Loop body that passes the condition on by Identity',
    model(
      [info('f')],
      [
        node('Loop', 'two p x', 'f', {
          body: body(
            [counter, condition, state],
            [info('d', 'bool'), info('t')],
            [node('Identity', 'c', 'd'), node('Add', 's s', 't')],
          ),
        }),
      ],
      { two: n(2), p: yes },
    ),
  ],
  ['Scan', scan({}, running)],
  ['Scan backwards', scan({ scan_input_directions: [1] }, running)],
  [
    'Scan written backwards along axis 1',
    scan({ scan_output_directions: [1], scan_output_axes: [1] }, running),
  ],
  ['Scan written along the last axis', scan({ scan_output_axes: [-1] }, running)],
  [
    'Scan along columns',
    model(
      [info('f'), info('y')],
      [
        node('Scan', 'init x', 'f y', {
          num_scan_inputs: 1,
          scan_input_axes: [-1],
          body: body([info('s', 'float32', [2]), info('e', 'float32', [2])], [info('t'), info('o')], running),
        }),
      ],
      { init: float32Tensor([2], [1, 2]) },
    ),
  ],
  [
    'Scan over two sequences that reads an outer value',
    model(
      [info('f'), info('y')],
      [
        node('Neg', 'x', 'z'),
        node('Scan', 'init x z', 'f y', {
          num_scan_inputs: 2,
          scan_input_directions: [0, 1],
          body: body(
            [info('s', 'float32', [3]), info('e', 'float32', [3]), info('g', 'float32', [3])],
            [info('t'), info('o')],
            [node('Mul', 'g k', 'gk'), node('Add', 's e', 't'), node('Add', 't gk', 'o')],
          ),
        }),
      ],
      { init: float32Tensor([3], [1, 2, 3]), k: float32Tensor([], [2]) },
    ),
  ],
];

describe('control flow, unrolled, gives what the runtime gives', () => {
  it.each(cases)('%s', async (_, m) => {
    const x = randomTensor('x', [2, 3]);
    const built = specialised(m);
    expect(built.ops.filter((op) => ['If', 'Loop', 'Scan'].includes(op))).toEqual([]);
    const want = await runModel(m, { x });
    const got = await runModel(built.model, { x });
    for (const { name } of m.graph.outputs) {
      expect(got[`${name}_new`]!.dims).toEqual(want[name]!.dims);
      expect(distance(want[name]!, got[`${name}_new`]!)).toBeLessThan(1e-6);
    }
  });
});

describe('control flow that depends on data', () => {
  const branch = body([], [info('a')], [node('Neg', 'x', 'a')]);
  const count = body([counter, condition, state], [condition, info('t')], [node('Add', 's s', 't')]);
  const dataDependent = [
    node('ReduceSum', 'x _', 'sum', { keepdims: 0 }),
    node('Greater', 'sum zero', 'positive'),
    node('If', 'positive', 'y', { then_branch: branch, else_branch: branch }),
    node('Cast', 'sum', 'trips', { to: 7 }),
    node('Loop', 'trips _ x', 'f', { body: count }),
    node('Loop', 'two positive x', 'g', { body: count }),
  ];
  it('is reported all at once, by name', () => {
    const m = model([info('y'), info('f'), info('g')], dataDependent, {
      zero: float32Tensor([], [0]),
      two: n(2),
    });
    expect(() => specialise(m)).toThrow(
      expect.objectContaining({
        code: 'model/unsupported-operator',
        message: expect.stringMatching(
          /got 3 that.*\n.*If_y.*condition.*\n.*Loop_f.*trip count.*\n.*Loop_g.*condition/,
        ),
      }),
    );
  });

  it('is reported inside a body that is written', () => {
    const inner = body(
      [],
      [info('b')],
      [node('If', 'positive', 'b', { then_branch: branch, else_branch: branch })],
    );
    const m = model(
      [info('y')],
      [...dataDependent.slice(0, 2), node('If', 'p', 'y', { then_branch: inner, else_branch: branch })],
      { zero: float32Tensor([], [0]), p: yes },
    );
    expect(() => specialise(m)).toThrow(/got 1 that.*\n.*If_b/);
  });

  it('and endless or overlong loops are refused', () => {
    const forever = model([info('f')], [node('Loop', '_ p x', 'f', { body: count })], { p: yes });
    expect(() => specialise(forever)).toThrow(/Loop_f.*at most 4096/);
    const nested = model(
      [info('f')],
      [
        node('Loop', 'many p x', 'f', {
          body: body(
            [counter, condition, state],
            [condition, info('t')],
            [
              node('Loop', 'many c s', 't', {
                body: body(
                  [info('j', 'int64', []), info('d', 'bool', []), info('r', 'float32', [2, 3])],
                  [info('d', 'bool'), info('w')],
                  [node('Add', 'r r', 'w')],
                ),
              }),
            ],
          ),
        }),
      ],
      { many: n(4000), p: yes },
    );
    expect(() => specialise(nested)).toThrow(/at most 100000 nodes/);
  });
});

describe('hostile bodies', () => {
  it.each<readonly [string, Model]>([
    [
      'a Scan without sequences',
      model(
        [info('f')],
        [node('Scan', 'x', 'f', { num_scan_inputs: 0, body: body([state], [info('s')], []) })],
      ),
    ],
    [
      'more sequences than inputs',
      model(
        [info('f')],
        [node('Scan', 'x', 'f', { num_scan_inputs: 5, body: body([state], [info('s')], []) })],
      ),
    ],
    [
      'a Loop body with too few outputs',
      model(
        [info('f')],
        [node('Loop', 'two p x', 'f', { body: body([counter, condition, state], [], []) })],
        { two: n(2), p: yes },
      ),
    ],
    [
      'an output that nothing makes',
      model(
        [info('y')],
        [
          node('If', 'p', 'y', {
            then_branch: body([], [info('a')], []),
            else_branch: body([], [info('a')], []),
          }),
        ],
        { p: yes },
      ),
    ],
    ['a Scan axis that is not there', scan({ scan_input_axes: [7] }, running)],
    ['an If without a branch', model([info('y')], [node('If', 'p', 'y')], { p: yes })],
  ])('%s is an error, not a crash', (_, m) => {
    expect(() => specialise(m)).toThrow(expect.objectContaining({ name: 'GlacisError' }));
  });
});
