import type { Model } from '../../src/onnx/model.ts';
import { type Defence, sigmoid, staircase } from './defence.ts';
import { after, behind, inFront, type Piece } from './graph-edit.ts';

/** Number of a type in ONNX's list of element types. */
const FLOAT = 1;
const INT32 = 6;

const arctangent: Piece = (pen, x) =>
  pen('Add', [pen('Div', [pen('Atan', [x]), pen.number(Math.PI)]), pen.number(0.5)]);

const softsign: Piece = (pen, x) =>
  pen('Mul', [pen('Add', [pen('Softsign', [x]), pen.number(1)]), pen.number(0.5)]);

const tangent: Piece = (pen, x) =>
  pen('Mul', [pen('Add', [pen('Tanh', [x]), pen.number(1)]), pen.number(0.5)]);

const errorFunction: Piece = (pen, x) =>
  pen('Mul', [pen('Add', [pen('Erf', [x]), pen.number(1)]), pen.number(0.5)]);

/** 0 below the edge and 1 from it on, by a comparison that is turned round. */
const notLess: Piece = (pen, x) =>
  pen('Cast', [pen('Not', [pen('Less', [x, pen.number(0)])])], { to: FLOAT });

interface Stairs {
  readonly count: number;
  readonly width: number;
  readonly slope: number;
}

const inputStairs = (stairs: Stairs, f: Piece) => (model: Model) =>
  inFront(model, (pen, x) => staircase(pen, x, stairs, f));

const hiddenStairs = (layer: number, stairs: Stairs, f: Piece) => (model: Model) =>
  after(
    model,
    'Relu',
    (pen, h) => staircase(pen, h, stairs, f),
    (i) => i === layer,
  );

/** The same stairs, steep as they are and gentle for who knows of them. */
const inputDefence = (stairs: Stairs, gentle: number, f: Piece) => ({
  apply: inputStairs(stairs, f),
  eased: inputStairs({ ...stairs, slope: gentle }, f),
});
const hiddenDefence = (layer: number, stairs: Stairs, gentle: number, f: Piece) => ({
  apply: hiddenStairs(layer, stairs, f),
  eased: hiddenStairs(layer, { ...stairs, slope: gentle }, f),
});

/** Defences for a second judgement, written down before anything was changed that they judge. */
export const SECOND_HELD_OUT: readonly Defence[] = [
  {
    id: 'input through stairs of the arctangent',
    on: 'mnist-cnn',
    ...inputDefence({ count: 5, width: 0.2, slope: 120 }, 12, arctangent),
  },
  {
    id: 'hidden layer through stairs of softsign',
    on: 'mnist-mlp',
    ...hiddenDefence(0, { count: 10, width: 0.5, slope: 60 }, 5, softsign),
  },
  {
    id: 'input through stairs of softsign',
    on: 'cifar10-resnet14',
    ...inputDefence({ count: 12, width: 1 / 12, slope: 150 }, 30, softsign),
  },
  {
    id: 'second hidden layer through stairs of the error function',
    on: 'traffic-signs',
    ...hiddenDefence(1, { count: 10, width: 0.4, slope: 40 }, 4, errorFunction),
  },
  {
    id: 'second hidden layer through stairs of tanh',
    on: 'mnist-cnn',
    ...hiddenDefence(1, { count: 8, width: 0.5, slope: 30 }, 3, tangent),
  },
  {
    id: 'input through seven stairs of slope 200',
    on: 'mnist-lstm',
    ...inputDefence({ count: 7, width: 1 / 7, slope: 200 }, 15, sigmoid),
  },
  {
    id: 'input through one steep sigmoid',
    on: 'mnist-cnn-adv',
    ...inputDefence({ count: 1, width: 1, slope: 40 }, 8, sigmoid),
  },
  {
    id: 'one of three grey values by comparisons',
    on: 'mnist-vit',
    apply: (model) =>
      inFront(model, (pen, x) => {
        const dark = pen('Where', [pen('Greater', [x, pen.number(0.33)]), pen.number(0.5), pen.number(0.1)]);
        return pen('Where', [pen('GreaterOrEqual', [x, pen.number(0.66)]), pen.number(0.85), dark]);
      }),
  },
  {
    id: 'thermometer of 6 comparisons turned round',
    on: 'mnist-gru',
    apply: inputStairs({ count: 6, width: 1 / 6, slope: 1 }, notLess),
  },
  {
    id: 'input as whole twentieths',
    on: 'traffic-signs',
    apply: (model) =>
      inFront(model, (pen, x) => {
        const whole = pen('Cast', [pen('Mul', [x, pen.number(20)])], { to: INT32 });
        return pen('Div', [pen('Cast', [whole], { to: FLOAT }), pen.number(20)]);
      }),
  },
  {
    id: 'noise of 0.3 on the first layer',
    on: 'cifar10-resnet14',
    apply: (model) =>
      after(
        model,
        'Relu',
        (pen, h) => pen('Add', [h, pen('Mul', [pen('RandomNormalLike', [h]), pen.number(0.3)])]),
        (i) => i === 0,
      ),
  },
  {
    id: 'outputs through softsign',
    on: 'mnist-mlp-overfit',
    apply: (model) =>
      behind(model, (pen, z) =>
        pen('Mul', [pen('Softsign', [pen('Mul', [z, pen.number(3)])]), pen.number(8)]),
      ),
  },
  {
    id: 'first layer cut at 0.15',
    on: 'mnist-cnn',
    apply: (model) =>
      after(
        model,
        'Relu',
        (pen, h) => pen('Min', [h, pen.number(0.15)]),
        (i) => i === 0,
      ),
  },
];

/** Models that hide nothing, for the same judgement. */
export const SECOND_HELD_OUT_HONEST: readonly Defence[] = [
  {
    id: 'slight waves on the input',
    on: 'mnist-cnn-adv',
    apply: (model) =>
      inFront(model, (pen, x) => {
        const wave = pen('Sin', [pen('Mul', [x, pen.number(8 * Math.PI)])]);
        return pen('Add', [x, pen('Mul', [wave, pen.number(0.3 / (8 * Math.PI))])]);
      }),
  },
  {
    id: 'probabilities at temperature 2',
    on: 'cifar10-resnet14',
    apply: (model) =>
      behind(model, (pen, z) => pen('Softmax', [pen('Div', [z, pen.number(2)])], { axis: -1 })),
  },
  {
    id: 'mean of 3 x 3 pixels',
    on: 'traffic-signs',
    apply: (model) =>
      inFront(model, (pen, x) =>
        pen('AveragePool', [x], { kernel_shape: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1] }),
      ),
  },
  {
    id: 'less contrast',
    on: 'mnist-gru',
    apply: (model) =>
      inFront(model, (pen, x) => pen('Add', [pen('Mul', [x, pen.number(0.8)]), pen.number(0.1)])),
  },
  {
    id: 'outputs through a wide softsign',
    on: 'mnist-vit',
    apply: (model) =>
      behind(model, (pen, z) =>
        pen('Mul', [pen('Softsign', [pen('Div', [z, pen.number(50)])]), pen.number(50)]),
      ),
  },
  {
    id: 'hidden layer with a smooth kink',
    on: 'mnist-mlp',
    apply: (model) =>
      after(model, 'Relu', (pen, h) => pen('Mul', [h, pen('Sigmoid', [pen('Mul', [h, pen.number(10)])])])),
  },
];
