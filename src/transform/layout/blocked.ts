import { attributesOf, floats } from '../../onnx/attributes.ts';
import { type BuiltNode, GraphBuilder, type Value } from '../../onnx/graph-builder.ts';
import { windowOf } from '../gradient/window.ts';
import { opsOn, sameDims } from '../ops.ts';
import { blockedBias, blockedFilter } from './filter.ts';

/** Domain of ONNX Runtime's operators on blocked channels. */
const NCHWC = 'com.microsoft.nchwc';

/** Unary float operators that may run on any layout, because they treat every element alike. */
const UNARY = new Set(['Relu', 'HardSigmoid', 'Sigmoid', 'Tanh', 'LeakyRelu', 'Elu', 'Selu', 'Celu', 'Softplus', 'Softsign', 'HardSwish', 'Neg', 'Abs', 'Exp', 'Sqrt', 'Erf', 'Gelu', 'Mish', 'Identity', 'Sign', 'ThresholdedRelu', 'Clip']);

/** Broadcasting float operators that may run on any layout when their operands have one shape, or are scalars. */
const BROADCASTING = new Set(['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min', 'Sum']);

/** A convolution that is written only once it is known what can be fused into it. */
interface PendingConv {
  readonly input: Value;
  readonly weights: Value;
  readonly bias: Value | undefined;
  readonly attributes: Readonly<Record<string, string | number | readonly number[]>>;
  readonly dims: readonly number[];
  sum?: Value;
  relu?: boolean;
}

/** How a value of the old graph exists in the new one. Blocked and plain forms are made from each other when asked for. */
interface Form {
  readonly dims: readonly number[];
  plain?: Value;
  blocked?: Value;
  pending?: PendingConv;
  /** All elements are equal, so that every layout is the same. */
  uniform?: boolean;
}

/** A graph in the blocked layout, with its outputs. */
export interface BlockedGraph {
  readonly builder: GraphBuilder;
  readonly outputs: Readonly<Record<string, Value>>;
  /** Convolutions that run blocked. */
  readonly convolutions: number;
}

/**
 * Rewrites a graph so that its convolutions with constant weights run in ONNX Runtime's blocked channel layout (NCHWc) and stay in
 * it from the first to the last, forward *and* backward. The runtime's own pass leaves the layout at every operator it
 * has no blocked kernel for, masks of a ReLU's gradient among them; but an element-wise operator needs no kernel of its own:
 * on buffers of one layout it is the same loop. Bias, residual sums and ReLU are fused into the convolution.
 *
 * @param block channels in a block on this machine (see `runtime/layout.ts`)
 */
export function toBlockedLayout(source: GraphBuilder, outputs: Readonly<Record<string, Value>>, block: number): BlockedGraph {
  const live = liveNodes(source, Object.values(outputs));
  const uses = countUses(live, Object.values(outputs));
  const target = new GraphBuilder(source.opsets.get('') ?? 21);
  for (const [domain, version] of source.opsets) target.opsets.set(domain, version);
  const b = opsOn(target);
  const forms = new Map<string, Form>();
  let convolutions = 0;
  for (const v of source.inputs) forms.set(v.name, { dims: v.dims, plain: target.input(v.name, v.dtype, v.dims) });

  const formOf = (v: Value): Form => {
    let form = forms.get(v.name);
    if (!form) {
      // Only constants have no node and are no input.
      form = { dims: v.dims, plain: target.constant(v.data!, v.name) };
      forms.set(v.name, form);
    }
    return form;
  };
  const write = (form: Form): void => {
    const conv = form.pending;
    if (!conv) return;
    const inputs = [conv.input, conv.weights, conv.bias ?? null, conv.sum ?? null];
    while (inputs.at(-1) === null) inputs.pop();
    const activation = conv.relu ? { activation: 'Relu', activation_params: floats([]) } : {};
    const dims = [conv.dims[0]!, Math.ceil(conv.dims[1]! / block) * block, ...conv.dims.slice(2)];
    delete form.pending;
    form.blocked = b.node('Conv', inputs, { ...conv.attributes, ...activation }, { domain: NCHWC, types: [{ dtype: 'float32', dims }] });
    convolutions++;
  };
  const plain = (form: Form): Value => {
    write(form);
    if (!form.plain) {
      const [, c, h, w] = form.dims as [number, number, number, number];
      form.plain = h * w === 1 && c % block === 0 ? form.blocked! : b.node('ReorderOutput', [form.blocked!], { channels: c }, { domain: NCHWC, types: [{ dtype: 'float32', dims: form.dims }] });
    }
    return form.plain;
  };
  const blocked = (form: Form): Value => {
    write(form);
    if (!form.blocked) {
      form.blocked = form.uniform || form.dims[2]! * form.dims[3]! === 1 ? form.plain! : b.node('ReorderInput', [form.plain!], {}, { domain: NCHWC, types: [{ dtype: 'float32', dims: form.dims }] });
    }
    return form.blocked;
  };
  /** Whether a value of this form may be read blocked: a float image of whole blocks. */
  const whole = (v: Value) => v.dtype === 'float32' && v.isStatic && v.dims.length === 4 && v.dims[1]! % block === 0 && v.dims.every((d) => d > 0);
  const isBlocked = (form: Form | undefined) => form !== undefined && (form.blocked !== undefined || form.pending !== undefined);
  const free = (form: Form, v: Value) => form.pending !== undefined && uses.get(v.name) === 1;

  /** Writes the node in the blocked layout, or gives `undefined` where that does not help. */
  const blockedForm = ({ node, inputs, outputs: [out] }: BuiltNode): Form | undefined => {
    if (node.domain !== '' || !out || !out.isStatic) return undefined;
    const attrs = attributesOf(node);
    const first = inputs[0];
    if (!first) return undefined;
    if (node.op === 'Conv') return blockedConv(node.name, attrs, inputs as Value[], out);
    if (!whole(out)) {
      return undefined;
    }
    if (node.op === 'Relu') {
      const form = formOf(first);
      if (free(form, first) && !form.pending!.relu) {
        form.pending!.relu = true;
        return form;
      }
    }
    if (UNARY.has(node.op) && sameDims(first.dims, out.dims) && first.dtype === 'float32' && isBlocked(forms.get(first.name))) {
      const rest = inputs.slice(1).map((v) => (v ? plain(formOf(v)) : null));
      return { dims: out.dims, blocked: target.addNode(node.op, [blocked(formOf(first)), ...rest], node.attributes, { name: node.name })[0]! };
    }
    const scalar = (v: Value) => v.dims.every((d) => d === 1);
    if (BROADCASTING.has(node.op) && inputs.length >= 1) {
      const operands = inputs as Value[];
      if (!operands.some((v) => whole(v) && sameDims(v.dims, out.dims) && isBlocked(forms.get(v.name)))) return undefined;
      if (!operands.every((v) => v.dtype === 'float32' && (scalar(v) || sameDims(v.dims, out.dims)))) return undefined;
      if (node.op === 'Add' && operands.every((v) => sameDims(v.dims, out.dims))) {
        for (const [k, v] of operands.entries()) {
          const form = formOf(v);
          const other = operands[1 - k]!;
          if (other.name !== v.name && free(form, v) && !form.pending!.relu && !form.pending!.sum) {
            const sum = blocked(formOf(other));
            form.pending!.sum = sum;
            return form;
          }
        }
      }
      const parts = operands.map((v) => (scalar(v) ? b.reshape(plain(formOf(v)), []) : blocked(formOf(v))));
      return { dims: out.dims, blocked: target.addNode(node.op, parts, node.attributes, { name: node.name })[0]! };
    }
    if (node.op === 'Concat' && (attrs.int('axis') === 1 || attrs.int('axis') === -3)) {
      const operands = inputs as Value[];
      if (!operands.every(whole) || !operands.some((v) => isBlocked(forms.get(v.name)))) return undefined;
      return { dims: out.dims, blocked: b.concat(operands.map((v) => blocked(formOf(v))), 1) };
    }
    if (node.op === 'DepthToSpace' && attrs.string('mode', 'DCR') === 'DCR' && isBlocked(forms.get(first.name))) {
      const [n, c, h, w] = first.dims as [number, number, number, number];
      const r = attrs.int('blocksize');
      const channels = c / (r * r);
      const tiles = b.reshape(blocked(formOf(first)), [n, r, r, channels / block, h, w, block]);
      return { dims: out.dims, blocked: b.reshape(b.transpose(tiles, [0, 3, 4, 1, 5, 2, 6]), out.dims) };
    }
    if (node.op === 'MaxPool' && node.outputs.length === 1 && isBlocked(forms.get(first.name)) && attrs.int('ceil_mode', 0) === 0) {
      const { kernel, strides, dilations, before, after } = windowOf(attrs, first.dims.slice(2), attrs.ints('kernel_shape'));
      const value = b.node('MaxPool', [blocked(formOf(first))], { kernel_shape: kernel, strides, dilations, pads: [...before, ...after] }, { domain: NCHWC, types: [{ dtype: 'float32', dims: out.dims }] });
      return { dims: out.dims, blocked: value };
    }
    if (node.op === 'GlobalAveragePool' && isBlocked(forms.get(first.name))) {
      return { dims: out.dims, blocked: b.node('GlobalAveragePool', [blocked(formOf(first))], {}, { domain: NCHWC, types: [{ dtype: 'float32', dims: out.dims }] }) };
    }
    if (node.op === 'Expand' && first.dims.length === 4 && first.dims[1] === out.dims[1] && first.dims[2] === 1 && first.dims[3] === 1 && out.dims[2]! * out.dims[3]! > 1) {
      const [n, c, h, w] = out.dims as [number, number, number, number];
      const small = b.reshape(plain(formOf(first)), [first.dims[0]!, c / block, 1, 1, block]);
      return { dims: out.dims, blocked: b.reshape(b.expand(small, [n, c / block, h, w, block]), out.dims) };
    }
    return undefined;
  };
  const blockedConv = (_name: string, attrs: ReturnType<typeof attributesOf>, inputs: readonly Value[], out: Value): Form | undefined => {
    const [x, w, bias] = inputs;
    if (!x || !w?.data || w.dims.length !== 4 || x.dtype !== 'float32' || (bias && !bias.data) || out.dims.some((d) => d === 0)) return undefined;
    const group = attrs.int('group', 1);
    const [o, i] = [w.dims[0]!, w.dims[1]!];
    const depthwise = group > 1 && i === 1 && group === o && o % block === 0;
    if (group > 1 && !depthwise) return undefined;
    const fromPlain = !depthwise && i < block;
    if (!depthwise && !fromPlain && i % block !== 0) return undefined;
    const { kernel, strides, dilations, before, after } = windowOf(attrs, x.dims.slice(2), w.dims.slice(2));
    return {
      dims: out.dims,
      pending: {
        input: fromPlain ? plain(formOf(x)) : blocked(formOf(x)),
        weights: target.constant(blockedFilter(w.data, block)),
        bias: bias?.data ? target.constant(blockedBias(bias.data, block)) : undefined,
        attributes: { kernel_shape: kernel, strides, dilations, pads: [...before, ...after], group },
        dims: out.dims,
      },
    };
  };

  for (const built of live) {
    const form = blockedForm(built);
    if (form) {
      forms.set(built.outputs[0]!.name, form);
      continue;
    }
    const values = target.addNode(built.node.op, built.inputs.map((v) => (v ? plain(formOf(v)) : null)), built.node.attributes, {
      domain: built.node.domain,
      outputs: built.outputs.length,
      name: built.node.name,
      ...(built.outputs.every((v) => v.isStatic) ? { types: built.outputs } : {}),
    });
    const uniform = built.node.op === 'Expand' && built.inputs[0]?.dims.length === 0;
    for (const [i, v] of built.outputs.entries()) forms.set(v.name, { dims: v.isStatic ? v.dims : [], plain: values[i]!, uniform });
  }
  const results = Object.fromEntries(Object.entries(outputs).map(([name, v]) => [name, plain(formOf(v))]));
  return { builder: target, outputs: results, convolutions };
}

/** Nodes that the outputs need, in order. */
function liveNodes(source: GraphBuilder, outputs: readonly Value[]): BuiltNode[] {
  const needed = new Set(outputs.map((v) => v.name));
  const live: BuiltNode[] = [];
  for (const n of source.nodes.toReversed()) {
    if (!n.outputs.some((v) => needed.has(v.name))) continue;
    live.push(n);
    for (const v of n.inputs) if (v) needed.add(v.name);
  }
  return live.reverse();
}

function countUses(nodes: readonly BuiltNode[], outputs: readonly Value[]): Map<string, number> {
  const uses = new Map<string, number>();
  const count = (v: Value | null) => v && uses.set(v.name, (uses.get(v.name) ?? 0) + 1);
  for (const n of nodes) n.inputs.forEach(count);
  outputs.forEach(count);
  return uses;
}

