import { floats } from '../../onnx/attributes.ts';
import type { Value } from '../../onnx/graph-builder.ts';
import type { Ops } from '../ops.ts';

/** Domain of ONNX Runtime's operators on blocked channels. */
export const NCHWC = 'com.microsoft.nchwc';

/** A blocked convolution that is written only once it is known what can be fused into it. */
export interface PendingConv {
  readonly input: Value;
  readonly weights: Value;
  readonly bias: Value | undefined;
  readonly attributes: Readonly<Record<string, string | number | readonly number[]>>;
  sum?: Value;
  relu?: boolean;
}

/**
 * The forms that one value `[N, C, H, W]` of the old graph has in the new one. Each is made from another when it is first
 * asked for.
 */
export interface Form {
  readonly dims: readonly number[];
  /** `[N, C, H, W]`; a value that is no image has this form only. */
  plain?: Value;
  /** Blocked channels: dims as `plain`, memory `[N, C / block, H, W, block]`. */
  blocked?: Value;
  /** Space first: `[H, W, N, C]`. */
  spatial?: Value;
  /** Channels last: `[N, H, W, C]`. */
  channelsLast?: Value;
  /** A convolution that will give `blocked`. */
  pending?: PendingConv;
  /** `[N, C, 1, 1]`, of which the value is the expansion over space. */
  broadcast?: Value;
  /** All elements are equal, so that every layout is the same memory. */
  uniform?: boolean;
}

/** Conversions between the forms of a value. */
export interface Forms {
  plain(form: Form): Value;
  blocked(form: Form): Value;
  spatial(form: Form): Value;
  channelsLast(form: Form): Value;
}

/** The conversions, written over `b`, for blocks of `block` channels. */
export function formsOver(b: Ops, block: number): Forms {
  const typed = (
    op: string,
    inputs: readonly (Value | null)[],
    attributes: Parameters<Ops['node']>[2],
    dims: readonly number[],
  ) => b.node(op, inputs, attributes, { domain: NCHWC, types: [{ dtype: 'float32', dims }] });

  const write = (form: Form): void => {
    const conv = form.pending;
    if (!conv) return;
    const inputs = [conv.input, conv.weights, conv.bias ?? null, conv.sum ?? null];
    while (inputs.at(-1) === null) inputs.pop();
    const activation = conv.relu ? { activation: 'Relu', activation_params: floats([]) } : {};
    const [n, c, h, w] = form.dims as [number, number, number, number];
    delete form.pending;
    form.blocked = typed('Conv', inputs, { ...conv.attributes, ...activation }, [
      n,
      Math.ceil(c / block) * block,
      h,
      w,
    ]);
  };

  const plain = (form: Form): Value => {
    write(form);
    if (form.plain) return form.plain;
    const [n, c, h, w] = form.dims as [number, number, number, number];
    if (form.broadcast) form.plain = b.expand(form.broadcast, form.dims);
    // From space in front, two moves of whole blocks are quicker than one of single channels.
    else if (form.blocked || (h * w > 1 && c % block === 0 && blocked(form)))
      form.plain =
        h * w === 1 && c % block === 0
          ? form.blocked!
          : typed('ReorderOutput', [form.blocked!], { channels: c }, form.dims);
    else form.plain = b.reshape(b.transpose(form.spatial!, [2, 3, 0, 1]), [n, c, h, w]);
    return form.plain;
  };

  const blocked = (form: Form): Value => {
    write(form);
    if (form.blocked) return form.blocked;
    const [n, c, h, w] = form.dims as [number, number, number, number];
    if (form.broadcast) {
      const small = b.reshape(form.broadcast, [form.broadcast.dims[0]!, c / block, 1, 1, block]);
      form.blocked = b.reshape(b.expand(small, [n, c / block, h, w, block]), form.dims);
    } else if (form.plain)
      form.blocked =
        form.uniform || h * w === 1 ? form.plain : typed('ReorderInput', [form.plain], {}, form.dims);
    else {
      const split = b.reshape(form.spatial!, [h, w, n, c / block, block]);
      form.blocked = b.reshape(b.transpose(split, [2, 3, 0, 1, 4]), form.dims);
    }
    return form.blocked;
  };

  const spatial = (form: Form): Value => {
    write(form);
    if (form.spatial) return form.spatial;
    const [n, c, h, w] = form.dims as [number, number, number, number];
    if (form.broadcast)
      form.spatial = b.expand(b.reshape(form.broadcast, [1, 1, form.broadcast.dims[0]!, c]), [h, w, n, c]);
    else if (form.blocked) {
      const split = b.reshape(form.blocked, [n, c / block, h, w, block]);
      form.spatial = b.reshape(b.transpose(split, [2, 3, 0, 1, 4]), [h, w, n, c]);
    } else form.spatial = b.transpose(form.plain!, [2, 3, 0, 1]);
    return form.spatial;
  };

  const channelsLast = (form: Form): Value => {
    write(form);
    if (form.channelsLast) return form.channelsLast;
    const [n, c, h, w] = form.dims as [number, number, number, number];
    // Of one block, both layouts are the same memory.
    if (form.blocked && c === block) form.channelsLast = b.reshape(form.blocked, [n, h, w, c]);
    else if (form.blocked)
      form.channelsLast = typed('ReorderOutput', [form.blocked], { channels: c, channels_last: 1 }, [
        n,
        h,
        w,
        c,
      ]);
    else
      form.channelsLast = b.transpose(
        form.spatial ?? plain(form),
        form.spatial ? [2, 0, 1, 3] : [0, 2, 3, 1],
      );
    return form.channelsLast;
  };

  return { plain, blocked, spatial, channelsLast };
}
