import { describe, expect, it } from 'vitest';
import { UPGRADES } from './registry.ts';

/**
 * Every operator of ai.onnx with more than one version between opsets 7 and 26, and those versions, from the schemas of the
 * onnx package 1.23.
 */
const VERSIONS = `
Abs 6 13
Acos 7 22
Acosh 9 22
Add 7 13 14
ArgMax 1 11 12 13
ArgMin 1 11 12 13
Asin 7 22
Asinh 9 22
Atan 7 22
Atanh 9 22
Attention 23 24 25
AveragePool 7 10 11 19 22
BatchNormalization 7 9 14 15
Bernoulli 15 22
Cast 6 9 13 19 21 23 24 25
CastLike 15 19 21 23 24 25
Ceil 6 13
Clip 6 11 12 13
Compress 9 11
Concat 4 11 13
Constant 1 9 11 12 13 19 21 23 24 25
ConstantOfShape 9 20 21 23 24 25
Conv 1 11 22
ConvTranspose 1 11 22
Cos 7 22
Cosh 9 22
CumSum 11 14
DFT 17 20
DeformConv 19 22
DepthToSpace 1 11 13
DequantizeLinear 10 13 19 21 23 24 25
Det 11 22
Div 7 13 14
Dropout 7 10 12 13 22
Elu 6 22
Equal 7 11 13 19
Erf 9 13
Exp 6 13
Expand 8 13
EyeLike 9 22
Flatten 1 9 11 13 21 23 24 25
Floor 6 13
GRU 7 14 22
Gather 1 11 13
GatherElements 11 13
GatherND 11 12 13
Gemm 7 9 11 13
GlobalAveragePool 1 22
GlobalLpPool 2 22
GlobalMaxPool 1 22
Greater 7 9 13
GreaterOrEqual 12 16
GridSample 16 20 22
GroupNormalization 18 21
HardSigmoid 6 22
HardSwish 14 22
Hardmax 1 11 13
Identity 1 13 14 16 19 21 23 24 25
If 1 11 13 16 19 21 23 24 25
InstanceNormalization 6 22
IsInf 10 20
IsNaN 9 13 20
LRN 1 13
LSTM 7 14 22
LeakyRelu 6 16
Less 7 9 13
LessOrEqual 12 16
Log 6 13
LogSoftmax 1 11 13
Loop 1 11 13 16 19 21 23 24 25
LpNormalization 1 22
LpPool 2 11 18 22
MatMul 1 9 13
Max 6 8 12 13
MaxPool 1 8 10 11 12 22
MaxRoiPool 1 22
MaxUnpool 9 11 22
Mean 6 8 13
MeanVarianceNormalization 9 13
Min 6 8 12 13
Mish 18 22
Mod 10 13
Mul 7 13 14
Multinomial 7 22
Neg 6 13
NegativeLogLikelihoodLoss 12 13 22
NonMaxSuppression 10 11
NonZero 9 13
OneHot 9 11
OptionalGetElement 15 18
OptionalHasElement 15 18
PRelu 7 9 16
Pad 2 11 13 18 19 21 23 24 25
Pow 7 12 13 15
QLinearMatMul 10 21
QuantizeLinear 10 13 19 21 23 24 25
RNN 7 14 22
RandomNormal 1 22
RandomNormalLike 1 22
RandomUniform 1 22
RandomUniformLike 1 22
Reciprocal 6 13
ReduceL1 1 11 13 18
ReduceL2 1 11 13 18
ReduceLogSum 1 11 13 18
ReduceLogSumExp 1 11 13 18
ReduceMax 1 11 12 13 18 20
ReduceMean 1 11 13 18
ReduceMin 1 11 12 13 18 20
ReduceProd 1 11 13 18
ReduceSum 1 11 13
ReduceSumSquare 1 11 13 18
Relu 6 13 14
Reshape 5 13 14 19 21 23 24 25
Resize 10 11 13 18 19
RoiAlign 10 16 22
Round 11 22
Scan 8 9 11 16 19 21 23 24 25
Scatter 9 11
ScatterElements 11 13 16 18
ScatterND 11 13 16 18
Selu 6 22
Shape 1 13 15 19 21 23 24 25
Sigmoid 6 13
Sign 9 13
Sin 7 22
Sinh 9 22
Size 1 13 19 21 23 24 25
Slice 1 10 11 13
Softmax 1 11 13
SoftmaxCrossEntropyLoss 12 13
Softplus 1 22
Softsign 1 22
SpaceToDepth 1 13
Split 2 11 13 18
SplitToSequence 11 24
Sqrt 6 13
Squeeze 1 11 13 21 23 24 25
Sub 7 13 14
Sum 6 8 13
Tan 7 22
Tanh 6 13
ThresholdedRelu 10 22
Tile 6 13
TopK 1 10 11 24
Transpose 1 13 21 23 24 25
Unsqueeze 1 11 13 21 23 24 25
Upsample 7 9 10
Where 9 16
`
  .trim()
  .split('\n')
  .map((line) => line.split(' '));

/** Attributes, inputs or outputs were added that mean the old behaviour when they are absent. */
const ADDED: Readonly<Record<string, string>> = {
  ArgMax: 'select_last_index',
  ArgMin: 'select_last_index',
  Attention: 'nonpad_kv_seqlen (input), right_window_size, left_window_size',
  AveragePool: 'ceil_mode, dilations',
  Cast: 'saturate, round_mode',
  CastLike: 'saturate, round_mode',
  Constant: 'sparse_value, value_strings, value_string, value_floats, value_float, value_ints, value_int',
  DepthToSpace: 'mode',
  DequantizeLinear: 'axis, block_size, output_dtype',
  GRU: 'layout',
  GatherND: 'batch_dims',
  LSTM: 'layout',
  LpPool: 'ceil_mode, dilations',
  MaxPool: 'storage_order, Indices (output), dilations, ceil_mode',
  QuantizeLinear: 'axis, saturate, output_dtype, block_size, precision',
  RNN: 'layout',
  Reshape: 'allowzero',
  ScatterElements: 'reduction',
  ScatterND: 'reduction',
  Shape: 'end, start',
};

/** Element types, broadcasting or negative axes were added, or the wording changed: each old node is a valid new one. */
const WIDENED = `
Abs Acos Acosh Add Asin Asinh Atan Atanh Bernoulli Ceil Compress Concat ConstantOfShape Conv ConvTranspose
Cos Cosh CumSum DeformConv Det Div Elu Equal Erf Exp Expand EyeLike Flatten Floor Gather GatherElements Gemm
GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual HardSigmoid HardSwish Identity If
InstanceNormalization IsInf IsNaN LRN LeakyRelu Less LessOrEqual Log Loop LpNormalization MatMul Max
MaxRoiPool MaxUnpool Mean MeanVarianceNormalization Min Mish Mod Mul Multinomial Neg
NegativeLogLikelihoodLoss NonMaxSuppression NonZero OneHot OptionalGetElement OptionalHasElement PRelu Pow
QLinearMatMul RandomNormal RandomNormalLike RandomUniform RandomUniformLike Reciprocal Relu Round Selu
Sigmoid Sign Sin Sinh Size SoftmaxCrossEntropyLoss Softplus Softsign SpaceToDepth SplitToSequence Sqrt Sub
Sum Tan Tanh ThresholdedRelu Tile Transpose Where
`
  .trim()
  .split(/\s+/);

/** Dealt with elsewhere. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  Scan: 'control-flow.ts refuses the batched form of opset 8',
};

describe('operators that changed between opsets 7 and 26', () => {
  const upgraded = new Set(UPGRADES.map((rule) => rule.op));

  it.each(VERSIONS.map((line) => line[0]!))('%s is upgraded, or compatible for one reason', (op) => {
    const reasons = [upgraded.has(op), op in ADDED, WIDENED.includes(op), op in ELSEWHERE];
    expect(reasons.filter(Boolean)).toHaveLength(1);
  });

  it('are the only ones with an upgrade or a reason', () => {
    const known = new Set(VERSIONS.map((line) => line[0]!));
    for (const op of [...upgraded, ...Object.keys(ADDED), ...WIDENED, ...Object.keys(ELSEWHERE)])
      expect(known).toContain(op);
  });

  it('end their old form at a version of the operator', () => {
    for (const { op, since, until } of UPGRADES) {
      if (!Number.isFinite(until)) continue;
      const versions = VERSIONS.find((line) => line[0] === op)!
        .slice(1)
        .map(Number);
      expect(versions, op).toContain(until + 1);
      expect(since === 1 || versions.includes(since), op).toBe(true);
    }
  });
});
