import { GraphBuilder, type Value } from '../onnx/graph-builder.ts';
import type { Model } from '../onnx/model.ts';
import { toBlockedLayout } from '../transform/layout/blocked.ts';
import { f32 } from './array.ts';
import type { Engine } from './engine.ts';

/** Channels of the probe: a multiple of every block size that MLAS has. */
const CHANNELS = 64;

/**
 * Channels in a block of ONNX Runtime's blocked layout on this processor (16 with AVX-512, 8 with AVX or NEON), or 0 where it
 * has none or the runtime does not take such graphs: found by reordering a ramp and looking where channel 1 went.
 */
export async function blockSizeOf(engine: Engine): Promise<number> {
  if (engine.device !== 'cpu') return 0;
  const builder = new GraphBuilder();
  const x = builder.input('x', 'float32', [1, CHANNELS, 1, 2]);
  const [y] = builder.add(
    'ReorderInput',
    [x],
    {},
    { domain: 'com.microsoft.nchwc', types: [{ dtype: 'float32', dims: x.dims }] },
  );
  try {
    const session = await engine.open(builder.build({ y: y! }));
    const ramp = Float32Array.from({ length: 2 * CHANNELS }, (_, i) => i);
    const { y: result } = await session.run({ x: f32(ramp, [1, CHANNELS, 1, 2]) });
    await session.close();
    // Element 0 is channel 0 at place 0; its neighbour at place 1 (value 1) follows after one block.
    const at = (result!.data as Float32Array).indexOf(1);
    return at > 1 && CHANNELS % at === 0 ? at : 0;
  } catch {
    return 0;
  }
}

/** The model that computes `outputs`, its convolutions in blocks of `block` channels (see {@link blockSizeOf}; 0: as it is). */
export function inLayout(
  builder: GraphBuilder,
  outputs: Readonly<Record<string, Value>>,
  block: number,
  name?: string,
): Model {
  const options = name === undefined ? {} : { name };
  const images = block > 0 && builder.nodes.some(({ node }) => node.op === 'Conv');
  if (!images) return builder.build(outputs, options);
  const blocked = toBlockedLayout(builder, outputs, block);
  return blocked.builder.build(blocked.outputs, options);
}
