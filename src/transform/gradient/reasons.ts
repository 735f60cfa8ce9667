/** Why an operator of ai.onnx that has a derivative has no gradient rule, for the message that names it. */
const REASONS: Readonly<Record<string, string>> = {
  DeformConv: 'sampling at learned offsets inside a convolution is not differentiated',
  MaxRoiPool: 'pooling over regions that depend on the data is not differentiated',
  RoiAlign: 'sampling in regions that depend on the data is not differentiated',
};

/** What is said of a node that has no rule. */
export function reasonAgainst(domain: string, op: string): string {
  const reason = domain === '' ? REASONS[op] : undefined;
  return reason ?? 'no gradient rule for this operator';
}
