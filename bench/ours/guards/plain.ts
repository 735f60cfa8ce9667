import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Watched } from '../../../src/detect/detector.ts';
import type { GuardedInput, GuardKind, GuardSetting, InputGuard } from '../../../src/gateway/guard.ts';
import { constraintsGuard } from '../../../src/gateway/guards/constraints.ts';
import { feedsGuard } from '../../../src/gateway/guards/feeds.ts';
import { inputGuard } from '../../../src/gateway/guards/input.ts';
import type { ServedModel } from '../../../src/gateway/served-model.ts';
import type { GuardSubject } from './subject.ts';

/** The guards that need no calibration: plain values, bytes as a constraint, and a feed with times, numbers and two sources. */
export function plainGuards({ watched }: GuardSubject): readonly InputGuard[] {
  const folder = mkdtempSync(join(tmpdir(), 'glacis-guards-'));
  try {
    const file = join(folder, 'constraints.json');
    const constraints = [{ type: '8-bit', range: [0, 1] }];
    writeFileSync(file, JSON.stringify({ schema: 'glacis.constraints/1', constraints }));
    const feed = {
      name: 'price',
      time: { parameter: 'at' },
      sequence: { parameter: 'sequence' },
      agree: { parameters: ['a', 'b'] },
    };
    return [
      made(inputGuard, { range: [0, 1] }, watched),
      made(constraintsGuard, { file }, watched),
      made(feedsGuard, { feeds: [feed] }, watched),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

let calls = 0;

/** A call of `n` samples by one of a thousand principals, its feed in order. */
export function callOf(x: Float32Array, n: number, { sampleDims, classes, gives }: Watched): GuardedInput {
  const classifier = { input: 'x', sampleDims, output: 'y', classes, gives };
  const start = Date.now();
  return {
    model: servedAs(classifier),
    classifier,
    principal: { id: `p${calls++ % 1000}`, tenant: 't', credential: 'c', kind: 'key', roles: [] },
    address: '192.0.2.7',
    n,
    inputs: [{ name: 'x', datatype: 'FP32', shape: [n, ...sampleDims], data: x }],
    // A reading that is new each time it is read: one call is judged again and again.
    parameters: {
      at: start,
      a: 100,
      b: 100.01,
      get sequence() {
        return calls++;
      },
    },
    floats: () => x,
    now: start,
  };
}

/** A guard as the gateway makes it, of a model that is only described; its clock stands at 0 when it is made. */
export function made<Options>(
  kind: GuardKind<Options>,
  options: object,
  { sampleDims, classes, gives }: Watched,
  calibration?: unknown,
): InputGuard {
  const setting: GuardSetting = {
    model: servedAs({ input: 'x', sampleDims, output: 'y', classes, gives }),
    calibration,
    ask: async () => new Float32Array(0),
    now: () => 0,
  };
  return kind.make(kind.options.parse(options), setting);
}

function servedAs(classifier: NonNullable<ServedModel['classifier']>): ServedModel {
  return {
    name: 'm',
    version: '1',
    digest: '',
    metadata: { name: 'm', platform: 'onnx', inputs: [], outputs: [] },
    classifier,
    run: async () => ({ outputs: [] }),
  };
}
