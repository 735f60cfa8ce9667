import type { OpenedSubject } from './open-subject.ts';
import type { TensorSummary } from './result.ts';

/** A model before it is opened: a file or an endpoint. */
export interface ModelSource {
  /** Of the file's bytes; of an endpoint, which shows none, `endpoint:` and its address. */
  readonly digest: string;
  readonly inputs: readonly TensorSummary[];
  readonly outputs: readonly TensorSummary[];
  /** Bytes of weights that each open session holds. */
  readonly weightBytes: number;
  /** The attacked input, with its batch axis. */
  readonly input: { readonly name: string; readonly dims: readonly (number | string | null)[] };
  /** Opens it for samples of this shape and looks at its answers to the `first` ones. */
  open(
    sampleDims: readonly number[],
    first: { readonly x: Float32Array; readonly count: number },
  ): Promise<OpenedSubject>;
}
