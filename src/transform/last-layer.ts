import type { GraphBuilder, Value } from '../onnx/graph-builder.ts';

/** Operators with weights. */
const WEIGHTED = new Set(['Gemm', 'MatMul', 'Conv']);

/** What the nearest layer with weights before `value` takes in; `undefined` where paths join before there is one. */
export function lastLayerInput(builder: GraphBuilder, value: Value): Value | undefined {
  for (let at = value; ; ) {
    const made = builder.producer(at);
    const varying = made?.inputs.filter((input) => input && !input.data) ?? [];
    if (varying.length !== 1) return undefined;
    if (WEIGHTED.has(made!.node.op)) return varying[0]!;
    at = varying[0]!;
  }
}
