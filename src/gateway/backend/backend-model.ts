import type { Tensor } from '../../oip/tensor.ts';
import type { ModelAnswer, RunOptions, ServedModel } from '../served-model.ts';
import type { Standing } from './admission/admit.ts';

/** A version that a backend has opened. */
export interface BackendModel extends ServedModel {
  /** What an operator may want to know: why requests are not joined, what could not be tried. */
  readonly notes: readonly string[];
  /** Runs the model only while nobody waits for an answer. Errors: as `run`. */
  runAside(inputs: readonly Tensor[], options: RunOptions): Promise<ModelAnswer>;
  /** Of an upstream: how it stands now. Never throws. */
  recheck?(): Promise<Standing>;
  /** What is under way and waiting, for metrics. */
  load(): ModelLoad;
  /** Lets what was taken finish, then lets go of everything. */
  close(): Promise<void>;
}

/** How busy a model is. */
export interface ModelLoad {
  /** Requests without an answer. */
  readonly open: number;
  /** Samples that wait for a run. */
  readonly waiting: number;
  /** Of an upstream: whether it is asked (`closed`), left alone (`open`) or tried (`half-open`). */
  readonly circuit?: 'closed' | 'open' | 'half-open';
}
