import type { Tensor } from '../../oip/index.ts';
import type { GuardedAnswer, GuardSetting } from '../guard.ts';
import type { Classifier, ServedModel } from '../served-model.ts';

/** What the fixture's model is like. */
export const CLASSIFIER: Classifier = {
  input: 'x',
  sampleDims: [4],
  output: 'y',
  classes: 2,
  gives: 'logits',
  features: 3,
};

/** A model that is only described. */
export function servedFixture(classifier: Classifier | undefined = CLASSIFIER): ServedModel {
  return {
    name: 'm',
    version: '1',
    digest: `sha256:${'a'.repeat(64)}`,
    metadata: { name: 'm', platform: 'onnx', inputs: [], outputs: [] },
    classifier,
    run: async () => ({ outputs: [] }),
  };
}

/** What guards are made with. */
export function settingFixture(over: Partial<GuardSetting> = {}): GuardSetting {
  return {
    model: servedFixture(),
    calibration: undefined,
    ask: async (_, n) => new Float32Array(2 * n),
    now: () => 0,
    ...over,
  };
}

/** A call with these rows as its main input, and what the model said where that matters. */
export function callFixture(
  rows: readonly (readonly number[])[],
  over: Partial<GuardedAnswer> & { readonly said?: readonly (readonly number[])[] } = {},
): GuardedAnswer {
  const { said, ...rest } = over;
  const data = Float32Array.from(rows.flat());
  const tensor: Tensor = { name: 'x', datatype: 'FP32', shape: [rows.length, rows[0]?.length ?? 0], data };
  return {
    model: servedFixture(),
    classifier: CLASSIFIER,
    principal: { id: 'ann', tenant: 'acme', credential: 'k1', kind: 'key', roles: [] },
    address: '192.0.2.7',
    n: rows.length,
    inputs: [tensor],
    parameters: {},
    floats: () => data,
    now: 1_700_000_000_000,
    scores: () => said && Float32Array.from(said.flat()),
    features: undefined,
    ...rest,
  };
}
