import { float } from '../../src/onnx/attributes.ts';
import type { Model } from '../../src/onnx/model.ts';
import { float32Tensor, numbersOf } from '../../src/onnx/tensor.ts';
import { type Defence, onBlocks, staircase } from './defence.ts';
import { after, behind, inFront, type Pen, type Piece } from './graph-edit.ts';

/** The luminance table of the JPEG standard (ITU-T T.81, table K.1), row by row. */
const LUMINANCE = [
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22,
  29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103,
  121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];

/** Rounds coefficients of pixels in [0, 1] to the steps of a JPEG of a quality from 1 to 100. */
function jpegSteps(quality: number): Piece {
  const percent = quality < 50 ? 5000 / quality : 200 - 2 * quality;
  const steps = LUMINANCE.map((q) => Math.max(1, Math.floor((q * percent + 50) / 100)) / 255);
  return (pen, c) => {
    const table = pen.floats([8, 8], steps);
    const nearest = pen('Floor', [pen('Add', [pen('Div', [c, table]), pen.number(0.5)])]);
    return pen('Mul', [nearest, table]);
  };
}

/** Colours as luminance and two differences, and back (ITU-R BT.601). */
function inLuminance(piece: Piece): Piece {
  const forth = [0.299, 0.587, 0.114, -0.168736, -0.331264, 0.5, 0.5, -0.418688, -0.081312];
  const back = [1, 0, 1.402, 1, -0.344136, -0.714136, 1, 1.772, 0];
  return (pen, x) =>
    pen('Conv', [
      piece(pen, pen('Conv', [x, pen.floats([3, 3, 1, 1], forth)])),
      pen.floats([3, 3, 1, 1], back),
    ]);
}

/** Pads 28 × 28 pixels to 32 × 32 with black for `piece`. */
const padded =
  (piece: Piece): Piece =>
  (pen, x) => {
    const wide = pen('Pad', [x, pen.ints([0, 0, 2, 2, 0, 0, 2, 2])]);
    return pen('Slice', [piece(pen, wide), pen.ints([2, 2]), pen.ints([30, 30]), pen.ints([2, 3])]);
  };

const errorStairs: Piece = (pen, x) =>
  pen('Mul', [pen('Add', [pen('Erf', [x]), pen.number(1)]), pen.number(0.5)]);

const tangentStairs: Piece = (pen, x) =>
  pen('Mul', [pen('Add', [pen('Tanh', [x]), pen.number(1)]), pen.number(0.5)]);

/** One of several matrices `[side, side]` that shrink a line to `size` pixels from place `at` on, drawn anew each time. */
function resized(pen: Pen, x: string, side: number): string {
  const kinds = [
    [side, 0],
    [side - 1, 0],
    [side - 1, 1],
    [side - 2, 1],
    [side - 3, 2],
    [side - 3, 0],
  ] as const;
  const lines = kinds.flatMap(([size, at]) =>
    Array.from({ length: side * side }, (_, k) => {
      const [row, column] = [Math.floor(k / side) - at, k % side];
      if (row < 0 || row >= size) return 0;
      // Centres of pixels, linear between.
      const place = ((row + 0.5) * side) / size - 0.5;
      return Math.max(0, 1 - Math.abs(place - column));
    }),
  );
  const draw = pen('RandomUniform', [], { shape: [1], low: float(0), high: float(kinds.length) });
  const which = pen('Cast', [pen('Floor', [draw])], { to: 7 });
  const line = pen('Reshape', [
    pen('Gather', [pen.floats([kinds.length, side, side], lines), which], { axis: 0 }),
    pen.ints([side, side]),
  ]);
  return pen('MatMul', [pen('MatMul', [line, x]), pen('Transpose', [line], { perm: [1, 0] })]);
}

/** The model with weights and bias of its last `Gemm` times `factor`. */
function withLastLayerTimes(model: Model, factor: number): Model {
  const last = model.graph.nodes.findLast(({ op }) => op === 'Gemm')!;
  const initializers = new Map(model.graph.initializers);
  for (const name of last.inputs.slice(1)) {
    const tensor = initializers.get(name)!;
    initializers.set(
      name,
      float32Tensor(
        tensor.dims,
        Array.from(numbersOf(tensor), (v) => v * factor),
      ),
    );
  }
  return { ...model, graph: { ...model.graph, initializers } };
}

/** Defences on which the checks are judged: made after the thresholds were frozen, of other kinds, at other places, on other models. */
export const HELD_OUT: readonly Defence[] = [
  {
    id: 'hidden layer as 8-bit integers of step 0.5',
    on: 'mnist-mlp-overfit',
    apply: (model) =>
      after(
        model,
        'Relu',
        (pen, h) => {
          const step = pen.number(0.5);
          return pen('DequantizeLinear', [pen('QuantizeLinear', [h, step]), step]);
        },
        (i) => i === 1,
      ),
  },
  {
    id: 'grey values from a codebook of 6',
    on: 'mnist-vit',
    apply: (model) =>
      inFront(model, (pen, x) => {
        const book = pen.floats([6], [0, 0.18, 0.4, 0.6, 0.82, 1]);
        const far = pen('Abs', [pen('Sub', [pen('Unsqueeze', [x, pen.ints([-1])]), book])]);
        return pen('Gather', [book, pen('ArgMin', [far], { axis: -1, keepdims: 0 })], { axis: 0 });
      }),
  },
  {
    id: 'input less its remainder of a 24th',
    on: 'cifar10-resnet14',
    apply: (model) =>
      inFront(model, (pen, x) => pen('Sub', [x, pen('Mod', [x, pen.number(1 / 24)], { fmod: 1 })])),
  },
  {
    id: 'outputs through a tanh',
    on: 'mnist-vit',
    apply: (model) =>
      behind(model, (pen, z) => pen('Mul', [pen('Tanh', [pen('Mul', [z, pen.number(2)])]), pen.number(8)])),
  },
  {
    id: 'hidden layer through stairs of the error function',
    on: 'mnist-mlp-overfit',
    apply: (model) =>
      after(
        model,
        'Relu',
        (pen, h) => staircase(pen, h, { count: 12, width: 0.4, slope: 2500 }, errorStairs),
        (i) => i === 0,
      ),
    eased: (model) =>
      after(
        model,
        'Relu',
        (pen, h) => staircase(pen, h, { count: 12, width: 0.4, slope: 4 }, errorStairs),
        (i) => i === 0,
      ),
  },
  {
    id: 'input through stairs of tanh',
    on: 'mnist-gru',
    apply: (model) =>
      inFront(model, (pen, x) => staircase(pen, x, { count: 10, width: 0.1, slope: 450 }, tangentStairs)),
  },
  {
    id: 'random resizing and padding',
    on: 'mnist-cnn',
    apply: (model) => inFront(model, (pen, x) => resized(pen, x, 28)),
  },
  {
    id: 'one pixel in 40 dropped at random',
    on: 'mnist-mlp-overfit',
    apply: (model) =>
      inFront(model, (pen, x) => {
        const kept = pen('Greater', [pen('RandomUniformLike', [x]), pen.number(1 / 40)]);
        return pen('Mul', [x, pen('Cast', [kept], { to: 1 })]);
      }),
  },
  {
    id: 'JPEG of quality 40',
    on: 'cifar10-resnet14',
    apply: (model) => inFront(model, inLuminance(onBlocks(3, 32, 8, jpegSteps(40)))),
  },
  {
    id: 'JPEG of quality 15',
    on: 'mnist-vit',
    apply: (model) => inFront(model, padded(onBlocks(1, 32, 8, jpegSteps(15)))),
  },
  {
    id: 'probabilities to the power of 30',
    on: 'cifar10-resnet14',
    apply: (model) =>
      behind(model, (pen, z) => {
        const sharp = pen('Pow', [pen('Softmax', [z], { axis: -1 }), pen.number(30)]);
        return pen('Div', [sharp, pen('ReduceSum', [sharp, pen.ints([-1])], { keepdims: 1 })]);
      }),
  },
  {
    id: 'last layer times 25',
    on: 'mnist-vit',
    apply: (model) => withLastLayerTimes(model, 25),
  },
  {
    id: 'log-probabilities at temperature 0.025',
    on: 'mnist-gru',
    apply: (model) =>
      behind(model, (pen, z) => pen('LogSoftmax', [pen('Mul', [z, pen.number(40)])], { axis: -1 })),
  },
  {
    id: 'outputs through a tanh of slope 1.5',
    on: 'mnist-cnn',
    apply: (model) =>
      behind(model, (pen, z) => pen('Mul', [pen('Tanh', [pen('Mul', [z, pen.number(1.5)])]), pen.number(6)])),
  },
  {
    id: 'hidden layer times gains of 0 to 2 at random',
    on: 'mnist-cnn',
    apply: (model) =>
      after(
        model,
        'Relu',
        (pen, h) => pen('Mul', [h, pen('RandomUniformLike', [h], { low: float(0), high: float(2) })]),
        (i) => i === 1,
      ),
  },
];

/** Models that hide nothing, made after the thresholds were frozen, too: what stands around them is gentle or of no consequence. */
export const HELD_OUT_HONEST: readonly Defence[] = [
  {
    id: 'probabilities',
    on: 'mnist-vit',
    apply: (model) => behind(model, (pen, z) => pen('Softmax', [z], { axis: -1 })),
  },
  {
    id: 'logits times 1.5',
    on: 'mnist-mlp-overfit',
    apply: (model) => behind(model, (pen, z) => pen('Mul', [z, pen.number(1.5)])),
  },
  {
    id: 'mean of 3 x 3 pixels',
    on: 'cifar10-resnet14',
    apply: (model) =>
      inFront(model, (pen, x) =>
        pen('AveragePool', [x], { kernel_shape: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1] }),
      ),
  },
  {
    id: 'gentle contrast',
    on: 'mnist-cnn',
    apply: (model) =>
      inFront(model, (pen, x) => {
        const bent = pen('Tanh', [pen('Mul', [pen('Sub', [x, pen.number(0.5)]), pen.number(2)])]);
        return pen('Add', [pen('Mul', [bent, pen.number(0.5 / Math.tanh(1))]), pen.number(0.5)]);
      }),
  },
];
