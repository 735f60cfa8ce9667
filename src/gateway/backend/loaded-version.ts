import type { Tensor } from '../../oip/tensor.ts';
import { Refused } from '../refusal.ts';
import type { ModelAnswer, RunOptions, ServedModel } from '../served-model.ts';
import type { Standing } from './admission/admit.ts';
import type { PassedCheck } from './admission/passed-check.ts';
import type { BackendModel } from './backend-model.ts';
import type { Shadow } from './shadow.ts';

/** A version in memory, and what is done with it. */
export interface LoadedVersion {
  readonly backend: BackendModel;
  /** What callers of this version get: the same object as long as it is loaded. */
  readonly served: ServedModel;
  readonly checks: readonly PassedCheck[];
  /** What it was made from: something else means that it must be loaded anew. */
  readonly key: string;
  readonly recheck: () => Promise<Standing>;
  /** Why it answers nothing any more. */
  readonly stopped: string | undefined;
  stop(because: string | undefined): void;
  /** Who is asked after it has answered. */
  follow(shadow: Shadow | undefined): void;
}

/** A version that answers until it is stopped. */
export function loadedVersion(
  backend: BackendModel,
  about: Pick<LoadedVersion, 'checks' | 'key' | 'recheck'>,
): LoadedVersion {
  let stopped: string | undefined;
  let shadow: Shadow | undefined;
  const run = (inputs: readonly Tensor[], options: RunOptions): Promise<ModelAnswer> => {
    if (stopped !== undefined) return Promise.reject(new Refused('unavailable', stopped));
    const answer = backend.run(inputs, options);
    const after = shadow;
    if (after) answer.then((given) => after.follow(backend, inputs, options, given)).catch(() => {});
    return answer;
  };
  const { name, version, digest, metadata, classifier } = backend;
  const explain: ServedModel['explain'] =
    backend.explain &&
    ((question, signal) =>
      stopped === undefined
        ? backend.explain!(question, signal)
        : Promise.reject(new Refused('unavailable', stopped)));
  return {
    ...about,
    backend,
    served: { name, version, digest, metadata, classifier, run, explain },
    get stopped() {
      return stopped;
    },
    stop(because) {
      stopped = because;
    },
    follow(next) {
      shadow = next;
    },
  };
}
