import type { Attributes } from '../../onnx/attributes.ts';
import type { Value } from '../../onnx/graph-builder.ts';
import type { Node } from '../../onnx/model.ts';
import type { Ops } from '../ops.ts';

/** What a lowering sees of a node. */
export interface LowerContext {
  readonly b: Ops;
  readonly node: Node;
  readonly attrs: Attributes;
  readonly inputs: readonly (Value | null)[];
  /** Number of outputs that the node names. */
  readonly outputs: number;
  /** Version of the node's domain in the file it comes from. */
  readonly opset: number;
  /** Input `i`, which the operator requires. */
  input(i: number): Value;
  /** Whether input `i` is there. */
  has(i: number): boolean;
}

/**
 * Rewrites one node into other nodes with the same outputs. Two uses share it: *upgrades*, which bring an operator of an old
 * opset into the form of the build opset, and *lowerings*, which write fused, recurrent or quantised operators as
 * primitives that have gradients.
 */
export interface LowerRule {
  readonly op: string;
  readonly domain: string;
  /** Applies to nodes of opsets `since` to `until`, both included. */
  readonly since: number;
  readonly until: number;
  /** One line for `docs/operators.md`. */
  readonly note: string;
  /** Outputs in the operator's order; `null` for ones the node does not name. `undefined`: this node needs no rewriting. */
  lower(context: LowerContext): readonly (Value | null)[] | undefined;
}

/** Declares a rewriting of ai.onnx (unless `domain` is given) for all opsets (unless `since` or `until` is given). */
export function defineLowering(
  rule: Omit<LowerRule, 'domain' | 'since' | 'until'> & {
    readonly domain?: string;
    readonly since?: number;
    readonly until?: number;
  },
): LowerRule {
  return Object.freeze({
    ...rule,
    domain: rule.domain ?? '',
    since: rule.since ?? 1,
    until: rule.until ?? Number.POSITIVE_INFINITY,
  });
}

/** The first rule of `rules` for an operator at `opset`. */
export function findLowering(
  rules: readonly LowerRule[],
  domain: string,
  op: string,
  opset: number,
): LowerRule | undefined {
  return rules.find((r) => r.op === op && r.domain === domain && r.since <= opset && opset <= r.until);
}
