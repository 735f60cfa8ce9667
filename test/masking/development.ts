import { float } from '../../src/onnx/attributes.ts';
import type { Model } from '../../src/onnx/model.ts';
import { type Defence, onBlocks, onLevels, sigmoid, staircase, stepUp } from './defence.ts';
import { after, behind, inFront, type Pen, type Piece } from './graph-edit.ts';

const round: Piece = (pen, x) => pen('Round', [x]);

/** Towards the nearest whole number: steps in the limit of many. */
const sines = (pen: Pen, x: string) => {
  const wave = pen('Sin', [pen('Mul', [x, pen.number(2 * Math.PI)])]);
  return pen('Sub', [x, pen('Div', [wave, pen.number(2 * Math.PI)])]);
};

const inputStairs = (slope: number) => (model: Model) =>
  inFront(model, (pen, x) => staircase(pen, x, { count: 4, width: 1 / 4, slope }, sigmoid));

const hiddenStairs = (count: number, width: number, slope: number) => (model: Model) =>
  after(
    model,
    'Relu',
    (pen, h) => staircase(pen, h, { count, width, slope }, sigmoid),
    (i) => i === 0,
  );

const saturatedOutputs = (centre: number, slope: number) => (model: Model) =>
  behind(model, (pen, z) => {
    const steep = pen('Mul', [pen('Sub', [z, pen.number(centre)]), pen.number(slope)]);
    return pen('Mul', [pen('Sigmoid', [steep]), pen.number(10)]);
  });

/** Defences on which the thresholds were chosen. */
export const DEVELOPMENT: readonly Defence[] = [
  {
    id: 'input rounded to 5 levels',
    on: 'mnist-cnn',
    apply: (model) => inFront(model, onLevels(4, round)),
  },
  {
    id: 'input rounded to 17 levels',
    on: 'cifar10-resnet14',
    apply: (model) => inFront(model, onLevels(16, round)),
  },
  {
    id: 'input rounded to 256 levels',
    on: 'traffic-signs',
    apply: (model) => inFront(model, onLevels(255, round)),
  },
  {
    id: 'thermometer of 8 comparisons',
    on: 'mnist-mlp',
    apply: (model) =>
      inFront(model, (pen, x) => staircase(pen, x, { count: 8, width: 1 / 8, slope: 1 }, stepUp)),
  },
  {
    id: 'input through steep sigmoids',
    on: 'mnist-cnn',
    apply: inputStairs(100),
    eased: inputStairs(10),
  },
  {
    id: 'input through very steep sigmoids',
    on: 'cifar10-resnet14',
    apply: (model) =>
      inFront(model, (pen, x) => staircase(pen, x, { count: 16, width: 1 / 16, slope: 1000 }, sigmoid)),
    eased: (model) =>
      inFront(model, (pen, x) => staircase(pen, x, { count: 16, width: 1 / 16, slope: 50 }, sigmoid)),
  },
  {
    id: 'hidden layer through steep sigmoids',
    on: 'mnist-cnn',
    apply: hiddenStairs(8, 0.25, 200),
    eased: hiddenStairs(8, 0.25, 8),
  },
  {
    id: 'hidden layer through very steep sigmoids',
    on: 'traffic-signs',
    apply: hiddenStairs(6, 0.5, 4000),
    eased: hiddenStairs(6, 0.5, 8),
  },
  {
    id: 'input through all but steps of sigmoids',
    on: 'traffic-signs',
    apply: (model) =>
      inFront(model, (pen, x) => staircase(pen, x, { count: 16, width: 1 / 16, slope: 20_000 }, sigmoid)),
    eased: (model) =>
      inFront(model, (pen, x) => staircase(pen, x, { count: 16, width: 1 / 16, slope: 50 }, sigmoid)),
  },
  {
    id: 'outputs through a steep sigmoid',
    on: 'mnist-cnn',
    apply: saturatedOutputs(4, 4),
  },
  {
    id: 'outputs through a sigmoid of slope 1',
    on: 'traffic-signs',
    apply: saturatedOutputs(6, 1),
  },
  {
    id: 'outputs through a sigmoid of slope 2',
    on: 'mnist-mlp',
    apply: saturatedOutputs(3, 2),
  },
  {
    id: 'outputs through a sigmoid of slope 10',
    on: 'cifar10-resnet14',
    apply: saturatedOutputs(4, 10),
  },
  {
    id: 'softmax at temperature 0.02',
    on: 'mnist-cnn',
    apply: (model) =>
      behind(model, (pen, z) => pen('Softmax', [pen('Div', [z, pen.number(0.02)])], { axis: -1 })),
  },
  {
    id: 'softmax at temperature 0.1',
    on: 'traffic-signs',
    apply: (model) =>
      behind(model, (pen, z) => pen('Softmax', [pen('Div', [z, pen.number(0.1)])], { axis: -1 })),
  },
  {
    id: 'noise of 0.1 on the input',
    on: 'mnist-cnn',
    apply: (model) =>
      inFront(model, (pen, x) =>
        pen('Add', [x, pen('Mul', [pen('RandomNormalLike', [x]), pen.number(0.1)])]),
      ),
  },
  {
    id: 'noise of 0.03 on the input',
    on: 'cifar10-resnet14',
    apply: (model) =>
      inFront(model, (pen, x) =>
        pen('Add', [
          x,
          pen('Mul', [pen('RandomUniformLike', [x], { low: float(-1), high: float(1) }), pen.number(0.03)]),
        ]),
      ),
  },
  {
    id: 'rounded cosine transform of 4 x 4 blocks',
    on: 'mnist-cnn',
    apply: (model) => inFront(model, onBlocks(1, 28, 4, onLevels(2, round))),
  },
  {
    id: 'hard threshold on the first layer',
    on: 'traffic-signs',
    apply: (model) =>
      after(
        model,
        'Relu',
        (pen, h) => pen('Where', [pen('Greater', [h, pen.number(0.5)]), h, pen.number(0)]),
        (i) => i === 0,
      ),
  },
  {
    id: 'winners of every layer',
    on: 'mnist-mlp',
    apply: (model) =>
      after(model, 'Relu', (pen, h) => {
        const [top] = pen.all('TopK', [h, pen.ints([20])], { axis: -1, largest: 1 }, 2);
        const least = pen('ReduceMin', [top!], { axes: [-1], keepdims: 1 });
        return pen('Mul', [h, pen('Cast', [pen('GreaterOrEqual', [h, least])], { to: 1 })]);
      }),
  },
  {
    id: 'waves on the input',
    on: 'cifar10-resnet14',
    apply: (model) =>
      inFront(model, (pen, x) => {
        const wave = pen('Sin', [pen('Mul', [x, pen.number(1000)])]);
        return pen('Add', [x, pen('Mul', [wave, pen.number(0.02)])]);
      }),
  },
  {
    id: 'input all but rounded by sines',
    on: 'traffic-signs',
    apply: (model) =>
      inFront(
        model,
        onLevels(16, (pen, x) => sines(pen, sines(pen, sines(pen, x)))),
      ),
  },
  {
    id: 'outputs under a ceiling for each class',
    on: 'mnist-mlp',
    apply: (model) =>
      behind(model, (pen, z) => {
        const ceilings = pen.floats(
          [10],
          Array.from({ length: 10 }, (_, k) => 8 + k),
        );
        return pen('Mul', [pen('Tanh', [pen('Mul', [z, pen.number(0.5)])]), ceilings]);
      }),
  },
  {
    id: 'logarithm of cut probabilities',
    on: 'mnist-cnn',
    apply: (model) =>
      behind(model, (pen, z) =>
        pen('Log', [pen('Max', [pen('Softmax', [z], { axis: -1 }), pen.number(1e-4)])]),
      ),
  },
  {
    id: 'logarithm of probabilities with a floor',
    on: 'traffic-signs',
    apply: (model) =>
      behind(model, (pen, z) =>
        pen('Log', [pen('Add', [pen('Softmax', [z], { axis: -1 }), pen.number(1e-3)])]),
      ),
  },
  {
    id: 'rounded cosine transform of 16 x 16 blocks',
    on: 'traffic-signs',
    apply: (model) => inFront(model, onBlocks(3, 32, 16, onLevels(4, round))),
  },
  {
    id: 'random gain of the input',
    on: 'traffic-signs',
    apply: (model) =>
      inFront(model, (pen, x) =>
        pen('Mul', [x, pen('RandomUniformLike', [x], { low: float(0.7), high: float(1.3) })]),
      ),
  },
  {
    id: 'logits times 20',
    on: 'mnist-mlp',
    apply: (model) => behind(model, (pen, z) => pen('Mul', [z, pen.number(20)])),
  },
  {
    id: 'logits times 5',
    on: 'cifar10-resnet14',
    apply: (model) => behind(model, (pen, z) => pen('Mul', [z, pen.number(5)])),
  },
  {
    id: 'input through the tanh of 16 waves',
    on: 'mnist-mlp',
    apply: (model) =>
      inFront(model, (pen, x) => {
        const wave = pen('Sin', [pen('Mul', [x, pen.number(100)])]);
        return pen('Add', [
          x,
          pen('Mul', [pen('Tanh', [pen('Mul', [wave, pen.number(20)])]), pen.number(0.03)]),
        ]);
      }),
  },
  {
    id: 'input through stairs of slope 300',
    on: 'mnist-mlp',
    apply: (model) =>
      inFront(model, (pen, x) => staircase(pen, x, { count: 6, width: 1 / 6, slope: 300 }, sigmoid)),
  },
  {
    id: 'input pulled by sines to 9 levels',
    on: 'mnist-mlp',
    apply: (model) =>
      inFront(
        model,
        onLevels(8, (pen, x) => sines(pen, sines(pen, sines(pen, x)))),
      ),
  },
  {
    id: 'hidden layer through stairs of slope 400',
    on: 'traffic-signs',
    apply: hiddenStairs(8, 0.5, 400),
    eased: hiddenStairs(8, 0.5, 8),
  },
  {
    id: 'fine waves on the input',
    on: 'mnist-mlp',
    apply: (model) =>
      inFront(model, (pen, x) => {
        const wave = pen('Sin', [pen('Mul', [x, pen.number(5000)])]);
        return pen('Add', [x, pen('Mul', [wave, pen.number(0.01)])]);
      }),
  },
];
