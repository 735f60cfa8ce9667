import { attributesOf } from '../../onnx/attributes.ts';
import { type BuiltNode, GraphBuilder, type Value } from '../../onnx/graph-builder.ts';
import { computed, INTERNAL_DOMAIN } from '../../onnx/internal-operators.ts';
import { windowOf } from '../gradient/window.ts';
import { opsOn } from '../ops.ts';
import { convolution } from './convolution.ts';
import { elementwise } from './elementwise.ts';
import { type Form, formsOver, NCHWC } from './forms.ts';
import type { LayoutContext } from './layout-context.ts';
import { transposition } from './transposition.ts';
import { channelSums, weightGradient, weightGradientPays } from './weight-gradient.ts';

/** A graph in the blocked layout, with its outputs. */
export interface BlockedGraph {
  readonly builder: GraphBuilder;
  readonly outputs: Readonly<Record<string, Value>>;
}

/**
 * Rewrites a graph so that its convolutions over two axes run in ONNX Runtime's blocked channel layout (NCHWc) and stay in
 * it from the first to the last, forward *and* backward. The runtime's own pass leaves the layout at every operator it
 * has no blocked kernel for, masks of a ReLU's gradient among them; but an element-wise operator needs no kernel of its own:
 * on buffers of one layout it is the same loop. Bias, residual sums and ReLU are fused into the convolution.
 *
 * 3×3 convolutions on small maps run as Winograd products with space in front (see {@link planWinograd}).
 *
 * @param block channels in a block on this machine (see `runtime/layout.ts`)
 */
export function toBlockedLayout(
  source: GraphBuilder,
  outputs: Readonly<Record<string, Value>>,
  block: number,
): BlockedGraph {
  const live = liveNodes(source, Object.values(outputs), block);
  const uses = countUses(live, Object.values(outputs));
  const target = new GraphBuilder(source.opsets.get('') ?? 21);
  for (const [domain, version] of source.opsets) target.opsets.set(domain, version);
  const b = opsOn(target);
  const conversions = formsOver(b, block);
  const { plain, blocked, spatial } = conversions;
  const forms = new Map<string, Form>();
  for (const v of source.inputs)
    forms.set(v.name, { dims: v.dims, plain: target.input(v.name, v.dtype, v.dims) });

  const formOf = (v: Value): Form => {
    let form = forms.get(v.name);
    if (!form) {
      // Only constants have no node and are no input.
      form = { dims: v.dims, plain: target.constant(v.data!, v.name) };
      forms.set(v.name, form);
    }
    return form;
  };
  const whole = (v: Value) =>
    v.dtype === 'float32' &&
    v.isStatic &&
    v.dims.length === 4 &&
    v.dims[1]! % block === 0 &&
    v.dims.every((d) => d > 0);
  const isBlocked = (v: Value) =>
    forms.get(v.name)?.blocked !== undefined || forms.get(v.name)?.pending !== undefined;
  const isSpatial = (v: Value) => forms.get(v.name)?.spatial !== undefined;
  const fusible = (v: Value) => {
    const conv = formOf(v).pending;
    return uses.get(v.name) === 1 && conv && !conv.relu ? conv : undefined;
  };
  const context: LayoutContext = {
    b,
    block,
    forms: conversions,
    formOf,
    whole,
    isBlocked,
    isSpatial,
    fusible,
  };

  /** Writes the node in the layout of its operands, or gives `undefined` where it must be plain. */
  const rewritten = (built: BuiltNode): Form | undefined => {
    const { node, inputs } = built;
    const [out] = built.outputs;
    const first = inputs[0];
    if (
      (node.domain !== '' && node.domain !== INTERNAL_DOMAIN) ||
      node.outputs.length !== 1 ||
      !out?.isStatic ||
      !first
    )
      return undefined;
    const attrs = attributesOf(node);
    if (node.op === 'ConvWeightGradient') return { dims: out.dims, plain: weightGradient(context, built) };
    if (node.op === 'ChannelSums') return { dims: out.dims, plain: channelSums(context, built) };
    if (node.op === 'Conv') return convolution(context, built, out);
    if (node.op === 'Transpose') return transposition(context, attrs.ints('perm', []), first, out);
    if (!whole(out))
      return node.op === 'GlobalAveragePool' && isBlocked(first) && whole(first)
        ? pooled(first, out)
        : undefined;
    switch (node.op) {
      case 'GlobalAveragePool':
        return isBlocked(first) || isSpatial(first) ? pooled(first, out) : undefined;
      case 'Expand':
        return first.dims.length === 4 &&
          first.dims[1] === out.dims[1] &&
          first.dims[2] === 1 &&
          first.dims[3] === 1
          ? { dims: out.dims, broadcast: plain(formOf(first)) }
          : undefined;
      case 'Concat': {
        const operands = inputs as Value[];
        if (attrs.int('axis') !== 1 || !operands.every(whole) || !operands.some(isBlocked)) return undefined;
        return {
          dims: out.dims,
          blocked: b.concat(
            operands.map((v) => blocked(formOf(v))),
            1,
          ),
        };
      }
      case 'DepthToSpace': {
        if (attrs.string('mode', 'DCR') !== 'DCR' || !isBlocked(first)) return undefined;
        const [n, c, h, w] = first.dims as [number, number, number, number];
        const r = attrs.int('blocksize');
        const tiles = b.reshape(blocked(formOf(first)), [n, r, r, c / (r * r * block), h, w, block]);
        return { dims: out.dims, blocked: b.reshape(b.transpose(tiles, [0, 3, 4, 1, 5, 2, 6]), out.dims) };
      }
      case 'MaxPool': {
        if (!isBlocked(first) || attrs.int('ceil_mode', 0) !== 0) return undefined;
        const { kernel, strides, dilations, before, after } = windowOf(
          attrs,
          first.dims.slice(2),
          attrs.ints('kernel_shape'),
        );
        const options = { domain: NCHWC, types: [{ dtype: 'float32' as const, dims: out.dims }] };
        return {
          dims: out.dims,
          blocked: b.node(
            'MaxPool',
            [blocked(formOf(first))],
            { kernel_shape: kernel, strides, dilations, pads: [...before, ...after] },
            options,
          ),
        };
      }
      default:
        return elementwise(context, built, out);
    }
  };

  const pooled = (x: Value, out: Value): Form => {
    if (isSpatial(x))
      return { dims: out.dims, plain: b.reshape(b.mean(spatial(formOf(x)), [0, 1]), out.dims) };
    return {
      dims: out.dims,
      blocked: b.node(
        'GlobalAveragePool',
        [blocked(formOf(x))],
        {},
        { domain: NCHWC, types: [{ dtype: 'float32', dims: out.dims }] },
      ),
    };
  };

  for (const built of live) {
    const form = rewritten(built);
    if (form) {
      forms.set(built.outputs[0]!.name, form);
      continue;
    }
    const values = target.addNode(
      built.node.op,
      built.inputs.map((v) => (v ? plain(formOf(v)) : null)),
      built.node.attributes,
      {
        domain: built.node.domain,
        outputs: built.outputs.length,
        name: built.node.name,
        ...(built.outputs.every((v) => v.isStatic) ? { types: built.outputs } : {}),
      },
    );
    const uniform = built.node.op === 'Expand' && built.inputs[0]?.dims.length === 0;
    for (const [i, v] of built.outputs.entries())
      forms.set(v.name, { dims: v.isStatic ? v.dims : [], plain: values[i]!, uniform });
  }
  return {
    builder: target,
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, v]) => [name, plain(formOf(v))])),
  };
}

/** Nodes that the outputs need, in order; what this layout knows to make in another way stands for the nodes that make it. */
function liveNodes(source: GraphBuilder, outputs: readonly Value[], block: number): BuiltNode[] {
  const needed = new Set(outputs.map((v) => v.name));
  const live: BuiltNode[] = [];
  for (const written of source.nodes.toReversed()) {
    if (!written.outputs.some((v) => needed.has(v.name))) continue;
    const offer = source.offers.get(written.outputs[0]!.name);
    const n = offer && pays(offer, block) ? offer : computed(written);
    live.push(n);
    for (const v of n.inputs) if (v) needed.add(v.name);
  }
  return live.reverse();
}

/** Whether an offered operator is quicker in blocks. */
function pays(offer: BuiltNode, block: number): boolean {
  const [first] = offer.inputs;
  return offer.node.op === 'ConvWeightGradient'
    ? weightGradientPays(offer, block)
    : first!.dims[1]! % block === 0;
}

function countUses(nodes: readonly BuiltNode[], outputs: readonly Value[]): Map<string, number> {
  const uses = new Map<string, number>();
  const count = (v: Value | null) => v && uses.set(v.name, (uses.get(v.name) ?? 0) + 1);
  for (const n of nodes) n.inputs.forEach(count);
  outputs.forEach(count);
  return uses;
}
