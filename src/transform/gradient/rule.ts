import type { Attributes } from '../../onnx/attributes.ts';
import type { Value } from '../../onnx/graph-builder.ts';
import type { Node } from '../../onnx/model.ts';
import type { Ops } from '../ops.ts';

/** Choices that change what a gradient means. */
export interface GradientOptions {
  /**
   * `zero` (default): rounding, sign and quantisation have the gradient they mathematically have, zero.
   * `straight-through`: they pass the gradient on as if they were the identity (inside the clipping range), and so do whole numbers
   * and comparisons that become floats again, for attacks on quantised models (Bengio et al. 2013; BPDA, Athalye et al. 2018).
   */
  readonly rounding?: 'zero' | 'straight-through';
  /**
   * `exact` (default): functions that saturate (Sigmoid, Tanh, Erf, Atan, Softsign) have their own gradient. `wide`: that of themselves
   * {@link WIDER} times as wide, `f(x / WIDER)`, which looks past stairs that are made of steep ones (BPDA with a gentle layer).
   */
  readonly saturation?: 'exact' | 'wide';
}

/** How much wider functions are taken under `saturation: 'wide'`: what is so steep that stairs hide a gradient becomes gentle. */
export const WIDER = 8;

/** What a gradient rule sees of one node. */
export interface RuleContext {
  /** Writes the gradient's nodes. */
  readonly b: Ops;
  readonly node: Node;
  readonly attrs: Attributes;
  /** The node's inputs. An absent optional one throws when it is read through {@link RuleContext.input}. */
  readonly inputs: readonly (Value | null)[];
  readonly outputs: readonly Value[];
  /** Cotangents of the outputs, with exactly their shapes; `null` is zero. At least one is given. */
  readonly outGrads: readonly (Value | null)[];
  /** Which inputs' gradients are wanted. Nothing else may be computed. */
  readonly needs: readonly boolean[];
  readonly options: GradientOptions;
  /** Input `i`, which the operator requires. */
  input(i: number): Value;
  /**
   * Whether the gradient of input `i` is wanted per sample: with the batch axis (axis 0 of the outputs) in front, not summed
   * over it. Only rules marked `perSample` are ever asked.
   */
  perSample(i: number): boolean;
  /**
   * Sums `g` down to the shape of input `i` (the transpose of broadcasting); where input `i` is wanted per sample, its
   * leading batch axis is kept.
   */
  unbroadcast(g: Value, i: number): Value;
}

/** The vector-Jacobian product of one operator. */
export interface GradientRule {
  readonly op: string;
  /** `''` for ai.onnx. */
  readonly domain: string;
  /** First opset whose semantics the rule covers; nodes of older opsets are upgraded before. */
  readonly since: number;
  /** The operator's page, or the paper. */
  readonly source: string;
  /** One line for `docs/operators.md`: the maths, or a limit. */
  readonly note: string;
  /** Whether the rule can keep the batch axis of gradients that are shared by the samples (weights). */
  readonly perSample?: boolean;
  /**
   * Gradients of the inputs, one entry an input: `null` where `needs` is false or the gradient is zero. May throw
   * `gradient/unsupported` with the reason for attribute combinations that have no rule.
   */
  grad(context: RuleContext): readonly (Value | null)[];
}

/** Declares a gradient rule of ai.onnx (unless `domain` is given). */
export function defineRule(
  rule: Omit<GradientRule, 'domain' | 'source'> & { readonly domain?: string; readonly source?: string },
): GradientRule {
  return Object.freeze({
    ...rule,
    domain: rule.domain ?? '',
    source: rule.source ?? `https://onnx.ai/onnx/operators/onnx__${rule.op}.html`,
  });
}
