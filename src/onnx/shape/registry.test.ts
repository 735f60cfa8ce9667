import { describe, expect, it } from 'vitest';
import { SHAPE_RULES } from './registry.ts';

/** Every operator of ai.onnx up to opset 26, from the schemas of the onnx package 1.23. */
const OPERATORS = `
Abs Acos Acosh Add AffineGrid And ArgMax ArgMin Asin Asinh Atan Atanh Attention AveragePool BatchNormalization
Bernoulli BitCast BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor BlackmanWindow Cast CastLike Ceil Celu
CenterCropPad Clip Col2Im Compress Concat ConcatFromSequence Constant ConstantOfShape Conv ConvInteger
ConvTranspose Cos Cosh CumProd CumSum DFT DeformConv DepthToSpace DequantizeLinear Det Div Dropout
DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor GRU Gather GatherElements GatherND
Gelu Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GridSample GroupNormalization
HammingWindow HannWindow HardSigmoid HardSwish Hardmax Identity If ImageDecoder InstanceNormalization IsInf
IsNaN LRN LSTM LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax Loop LpNormalization LpPool MatMul
MatMulInteger Max MaxPool MaxRoiPool MaxUnpool Mean MeanVarianceNormalization MelWeightMatrix Min Mish Mod Mul
Multinomial Neg NegativeLogLikelihoodLoss NonMaxSuppression NonZero Not OneHot Optional OptionalGetElement
OptionalHasElement Or PRelu Pad Pow QLinearConv QLinearMatMul QuantizeLinear RMSNormalization RNN RandomNormal
RandomNormalLike RandomUniform RandomUniformLike Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp
ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare RegexFullMatch Relu Reshape Resize
ReverseSequence RoiAlign RotaryEmbedding Round STFT Scan Scatter ScatterElements ScatterND Selu SequenceAt
SequenceConstruct SequenceEmpty SequenceErase SequenceInsert SequenceLength SequenceMap Shape Shrink Sigmoid
Sign Sin Sinh Size Slice Softmax SoftmaxCrossEntropyLoss Softplus Softsign SpaceToDepth Split SplitToSequence
Sqrt Squeeze StringConcat StringNormalizer StringSplit Sub Sum Swish Tan Tanh TensorScatter TfIdfVectorizer
ThresholdedRelu Tile TopK Transpose Trilu Unique Unsqueeze Upsample Where Xor
`
  .trim()
  .split(/\s+/);

/** Operators without a rule, and why. */
const WITHOUT: Readonly<Record<string, string>> = {
  ConcatFromSequence: 'takes a sequence; Glacis computes with tensors only',
  If: 'holds graphs: inferModel follows its branches, a transform resolves it',
  Loop: 'holds a graph: resolved by a transform',
  Optional: 'gives an optional',
  OptionalGetElement: 'takes an optional',
  OptionalHasElement: 'takes an optional',
  Scan: 'holds a graph: resolved by a transform',
  SequenceAt: 'takes a sequence',
  SequenceConstruct: 'gives a sequence',
  SequenceEmpty: 'gives a sequence',
  SequenceErase: 'gives a sequence',
  SequenceInsert: 'gives a sequence',
  SequenceLength: 'takes a sequence',
  SequenceMap: 'holds a graph over sequences',
  SplitToSequence: 'gives a sequence',
};

describe('shape rules', () => {
  it('exist for each standard operator, or a reason says why not', () => {
    const missing = OPERATORS.filter((op) => !SHAPE_RULES.has(`:${op}`));
    expect(missing).toEqual(Object.keys(WITHOUT).sort());
  });

  it('exist only for standard operators, apart from what ONNX Runtime adds', () => {
    const known = new Set(OPERATORS);
    const extra = [...SHAPE_RULES.keys()].filter((key) => key.startsWith(':') && !known.has(key.slice(1)));
    expect(extra).toEqual([':SimplifiedLayerNormalization']);
  });
});
