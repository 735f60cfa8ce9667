import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GlacisError } from '../../core/error.ts';
import type { Model, Node } from '../../onnx/model.ts';
import { runInRuntime } from '../../onnx/ort.fixture.ts';
import { parseModel } from '../../onnx/read.ts';
import { boolTensor, float32Tensor } from '../../onnx/tensor.ts';
import { serializeModel } from '../../onnx/write.ts';
import { vjp } from '../gradient/vjp.ts';
import { obstaclesIn } from '../obstacles.ts';
import { runModel } from '../one-node.fixture.ts';
import { specialise } from '../specialise.ts';
import { DEFENCES_KEY, defend } from './defend.ts';
import { farthest, identityModel, randomPictures, throughDefences } from './picture-model.fixture.ts';
import { DEFENCES, describeDefence, planDefences } from './registry.ts';

const ALL = 'bit-depth(bits=3), gaussian, jpeg(quality=60), median(window=2), total-variation(steps=3)';
const DETERMINISTIC = DEFENCES.filter(({ random }) => !random).map(({ id }) => id);

describe('defend', () => {
  it('gives the same pictures in every layout, range and normalisation', async () => {
    const [n, c, h, w] = [2, 3, 10, 9];
    const chw = randomPictures([n, c, h, w]);
    const expected = await throughDefences(ALL, [n, c, h, w], chw);
    const hwc = moved(chw, [n, c, h, w]);
    expect(
      farthest(await throughDefences(ALL, [n, h, w, c], hwc), moved(expected, [n, c, h, w])),
    ).toBeLessThan(1e-6);
    const bytes = await throughDefences(
      ALL,
      [n, c, h, w],
      chw.map((v) => v * 255),
      { range: [0, 255] },
    );
    expect(
      farthest(
        bytes.map((v) => v / 255),
        expected,
      ),
    ).toBeLessThan(1e-5);
    const [mean, std] = [
      [0.4, 0.5, 0.3],
      [0.2, 0.25, 0.3],
    ];
    const channel = (i: number) => Math.floor(i / (h * w)) % c;
    const standard = chw.map((v, i) => (v - mean[channel(i)]!) / std[channel(i)]!);
    const back = (await throughDefences(ALL, [n, c, h, w], standard, { mean, std })).map(
      (v, i) => v * std[channel(i)]! + mean[channel(i)]!,
    );
    expect(farthest(back, expected)).toBeLessThan(1e-5);
  });

  it('takes grey pictures without an axis for channels, and a batch that the file fixes', async () => {
    const data = randomPictures([2, 1, 9, 8]);
    const expected = await throughDefences(ALL, [2, 1, 9, 8], data);
    expect(await throughDefences(ALL, [2, 9, 8], data)).toEqual(expected);
    const { y } = await runInRuntime(defend(identityModel([2, 1, 9, 8]), planDefences(ALL)), {
      x: { dims: [2, 1, 9, 8], data },
    });
    expect(y!.data).toEqual(expected);
  });

  it.each([11, 13, 18, 21])('means the same at opset %i', async (opset) => {
    const data = randomPictures([1, 3, 9, 8]);
    const every = `${ALL}, noise(seed=1), resize-pad(seed=2)`;
    expect(await throughDefences(every, [1, 3, 9, 8], data, { opset })).toEqual(
      await throughDefences(every, [1, 3, 9, 8], data),
    );
  });

  it('puts the first defence of a list first, and later ones in front of those that are there', async () => {
    const data = randomPictures([1, 1, 8, 8]);
    const model = identityModel(['batch', 1, 8, 8]);
    const run = async (m: Model) => (await runInRuntime(m, { x: { dims: [1, 1, 8, 8], data } })).y!.data;
    const both = defend(model, planDefences('gaussian, bit-depth'));
    const inTwo = defend(defend(model, planDefences('bit-depth')), planDefences('gaussian'));
    expect(await run(inTwo)).toEqual(await run(both));
    expect(await run(both)).not.toEqual(await run(defend(model, planDefences('bit-depth, gaussian'))));
    expect(inTwo.metadata.get(DEFENCES_KEY)).toBe('gaussian(sigma=1), bit-depth(bits=4)');
    expect(inTwo.metadata).toEqual(both.metadata);
  });

  it('keeps names, types and metadata, and survives being written', () => {
    const model = { ...identityModel(['batch', 3, 8, 8]), metadata: new Map([['owner', 'me']]) };
    const defended = parseModel(serializeModel(defend(model, planDefences(ALL))));
    expect(defended.graph.inputs).toEqual(model.graph.inputs);
    expect(defended.graph.outputs).toEqual(model.graph.outputs);
    expect(defended.metadata.get('owner')).toBe('me');
  });

  it('reaches uses of the input inside branches', async () => {
    const data = randomPictures([1, 1, 8, 8]);
    const { y } = await runInRuntime(defend(branching(), planDefences('bit-depth(bits=1)')), {
      x: { dims: [1, 1, 8, 8], data },
    });
    expect(y!.data).toEqual(Array.from(data, Math.round));
  });

  it.each(DETERMINISTIC)(
    '%s answers alike in the file and in the graph for attacks, which has its gradient',
    async (id) => {
      const defended = defend(identityModel(['batch', 3, 9, 8]), planDefences(id));
      const data = randomPictures([2, 3, 9, 8]);
      const file = await runInRuntime(defended, { x: { dims: [2, 3, 9, 8], data } });
      const { b, inputs, outputs } = specialise(defended, { batch: 2 });
      const [x, y] = [inputs.get('x')!, outputs.get('y')!];
      const [gradient] = vjp(b, [{ value: y, grad: b.full(y.dims, 1, 'float32') }], [x], {
        rounding: 'straight-through',
      });
      const graph = b.builder.build({ out: y, gradient: gradient! });
      const run = await runModel(graph, { x: float32Tensor([2, 3, 9, 8], data) });
      expect(farthest(run.out!.data, file.y!.data)).toBeLessThan(1e-5);
      const total = run.gradient!.data.reduce((sum, v) => sum + v, 0);
      // Smoothing keeps brightness: what all pixels gain together is what went in.
      expect(run.gradient!.data.every(Number.isFinite)).toBe(true);
      expect(total / data.length).toBeGreaterThan(0.8);
      expect(total / data.length).toBeLessThan(1.2);
    },
  );

  it.each([[[3, 9, 8]], [[9, 8, 3]], [[9, 8]]])(
    'is written for many where it is made for one of %j',
    async (sample) => {
      const single = defend(identityModel([1, ...sample]), planDefences(ALL));
      const open = defend(identityModel(['n', ...sample]), planDefences(ALL));
      const data = randomPictures([4, ...sample]);
      const x = float32Tensor([4, ...sample], data);
      const { b, outputs } = specialise(single, { batch: 4, liftFrom: 1, inputDims: { x: [4, ...sample] } });
      const lifted = await runModel(b.builder.build({ out: outputs.get('y')! }), { x });
      expect(farthest(lifted.out!.data, (await runModel(open, { x })).y!.data)).toBeLessThan(1e-6);
    },
  );

  it('shows attacks what stands in their way', () => {
    const obstacles = (text: string) => {
      const { b, inputs, outputs } = specialise(defend(identityModel(['n', 3, 8, 8]), planDefences(text)), {
        batch: 1,
      });
      const { stepped, cut, random } = obstaclesIn(b.builder.nodes, inputs.get('x')!, outputs.get('y')!);
      return { stepped, cut, random };
    };
    expect(obstacles('gaussian, median, total-variation')).toEqual({ stepped: [], cut: [], random: [] });
    expect(obstacles('jpeg, bit-depth')).toEqual({ stepped: ['Round'], cut: [], random: [] });
    expect(obstacles('noise, resize-pad')).toEqual({
      stepped: [],
      cut: [],
      random: ['RandomNormalLike', 'RandomUniformLike'],
    });
  });
});

describe('what cannot be defended', () => {
  it.each([
    ['a table', identityModel(['n', 12]), {}, 'pictures'],
    ['a signal of 12 channels', identityModel(['n', 12, 64, 64]), {}, 'pictures'],
    ['open sizes', identityModel(['n', 3, 'h', 'w']), {}, '--shape'],
    ['an old opset', identityModel(['n', 3, 8, 8], 9), {}, 'opset 11'],
    ['another input', identityModel(['n', 3, 8, 8]), { input: 'z' }, '--input'],
    ['a range without width', identityModel(['n', 3, 8, 8]), { range: [1, 1] as const }, '--range'],
    ['means for other channels', identityModel(['n', 3, 8, 8]), { mean: [0, 1] }, '--mean'],
    ['a deviation of 0', identityModel(['n', 3, 8, 8]), { std: [0] }, '--std'],
  ])('%s is refused', (_, model, options, hint) => {
    expect(() => defend(model, planDefences('bit-depth'), options)).toThrow(hint);
  });

  it('integers are refused', () => {
    const model = identityModel(['n', 3, 8, 8]);
    const type = { kind: 'tensor', dtype: 'uint8', dims: ['n', 3, 8, 8] } as const;
    const inputs = [{ name: 'x', type }];
    expect(() => defend({ ...model, graph: { ...model.graph, inputs } }, planDefences('bit-depth'))).toThrow(
      'floats',
    );
  });

  it('sizes that the file leaves open are taken from the caller', () => {
    const model = identityModel(['n', 3, 'h', 'w']);
    expect(defend(model, planDefences('median'), { sampleDims: [3, 8, 8] }).graph.inputs).toEqual(
      model.graph.inputs,
    );
  });
});

describe('planDefences', () => {
  it('reads what describeDefence writes', () => {
    for (const { id } of DEFENCES) {
      const [plan] = planDefences(id);
      expect(planDefences(describeDefence(plan!))).toEqual([plan]);
    }
  });

  it('reads any text or says what is wrong with it', () => {
    const words = fc.constantFrom(
      ...DEFENCES.map(({ id }) => id),
      '(',
      ')',
      ',',
      '=',
      'bits',
      'quality',
      '1',
      '1e9',
      '-3',
      '0/0',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(words, { maxLength: 12 }), (parts) => {
        try {
          planDefences(parts.join(''));
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(GlacisError);
        }
      }),
    );
  });

  it.each([
    ['jepg', "did you mean 'jpeg'"],
    ['jpeg(qualty=3)', "did you mean 'quality'"],
    ['jpeg(quality=0)', 'quality'],
    ['jpeg(quality=101)', 'quality'],
    ['jpeg(subsampling=1)', 'subsampling'],
    ['bit-depth(bits=9)', 'bits'],
    ['bit-depth(bits=1.5)', 'bits'],
    ['median(window=1)', 'window'],
    ['median(window=8)', 'window'],
    ['gaussian(sigma=0)', 'sigma'],
    ['gaussian(sigma=11)', 'sigma'],
    ['total-variation(weight=0)', 'weight'],
    ['total-variation(steps=101)', 'steps'],
    ['noise(sigma=-1)', 'sigma'],
    ['resize-pad(least=1.1)', 'least'],
  ])('refuses %s', (text, hint) => {
    expect(() => planDefences(text)).toThrow(hint);
  });
});

function moved(data: ArrayLike<number>, [n, c, h, w]: readonly number[]): Float32Array {
  const out = new Float32Array(data.length);
  for (let i = 0; i < n!; i++)
    for (let ch = 0; ch < c!; ch++)
      for (let p = 0; p < h! * w!; p++) out[(i * h! * w! + p) * c! + ch] = data[(i * c! + ch) * h! * w! + p]!;
  return out;
}

/** Uses its input only inside an `If`. */
function branching(): Model {
  const model = identityModel(['batch', 1, 8, 8]);
  const type = { kind: 'tensor', dtype: 'float32', dims: undefined } as const;
  const branch = (name: string) => ({
    name,
    inputs: [],
    outputs: [{ name: `${name}_y`, type }],
    initializers: new Map(),
    nodes: [
      { op: 'Identity', domain: '', name, inputs: ['x'], outputs: [`${name}_y`], attributes: new Map() },
    ],
    valueTypes: new Map(),
  });
  const node: Node = {
    op: 'If',
    domain: '',
    name: 'if',
    inputs: ['yes'],
    outputs: ['y'],
    attributes: new Map([
      ['then_branch', { kind: 'graph', value: branch('then') }],
      ['else_branch', { kind: 'graph', value: branch('else') }],
    ]),
  };
  return {
    ...model,
    graph: { ...model.graph, nodes: [node], initializers: new Map([['yes', boolTensor([], [true])]]) },
  };
}
