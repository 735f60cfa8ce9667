import type { Value } from '../../onnx/graph-builder.ts';
import type { Ops } from '../ops.ts';
import type { Form, Forms, PendingConv } from './forms.ts';

/** What the rewriting of one node sees of the graph so far. Values are those of the old graph. */
export interface LayoutContext {
  /** Writes the new graph. */
  readonly b: Ops;
  /** Channels in a block. */
  readonly block: number;
  readonly forms: Forms;
  formOf(v: Value): Form;
  /** A float image of whole blocks: it can have every form. */
  whole(v: Value): boolean;
  isBlocked(v: Value): boolean;
  isSpatial(v: Value): boolean;
  /** The pending convolution that makes `v`, where nothing else reads `v` and no ReLU ends it yet. */
  fusible(v: Value): PendingConv | undefined;
}
