import { floatsOf, type Tensor } from '../../oip/tensor.ts';
import type { ModelAnswer, RunOptions } from '../served-model.ts';
import type { BackendModel } from './backend-model.ts';

/** How another version's answer compares with the one that was given. */
export interface ShadowReport {
  readonly model: string;
  readonly version: string;
  readonly shadow: string;
  readonly n: number;
  /** Samples for which both name the same class; `undefined` where that cannot be said. */
  readonly agreed: number | undefined;
  /** Greatest difference of two scores. */
  readonly difference: number | undefined;
  /** Why the shadow has no answer. */
  readonly failed?: string;
}

/** Asks another version about what was answered. */
export interface Shadow {
  /** Never throws and never waits: what cannot be asked now is not asked. */
  follow(model: BackendModel, inputs: readonly Tensor[], options: RunOptions, answer: ModelAnswer): void;
}

/** Requests to a shadow under way at once. */
const MOST = 2;

/** Asks `shadow` about a `share` of the requests, evenly; each only after its answer. */
export function openShadow(
  shadow: BackendModel,
  share: number,
  report: (report: ShadowReport) => void,
): Shadow {
  let due = 0;
  let running = 0;
  const never = new AbortController().signal;
  return {
    follow(model, inputs, { n, by }, answer) {
      due = Math.min(1 + share, due + share);
      if (due < 1 || running >= MOST) return;
      due -= 1;
      running++;
      const about = { model: model.name, version: model.version, shadow: shadow.version, n };
      const ask = async () => shadow.runAside(inputs, { n, signal: never, features: false, by });
      ask()
        .then((other) => report({ ...about, ...compared(model, answer, other, n) }))
        .catch((thrown: unknown) => {
          const failed = thrown instanceof Error ? thrown.message : 'failed';
          report({ ...about, agreed: undefined, difference: undefined, failed });
        })
        .catch(() => {})
        .finally(() => {
          running--;
        });
    },
  };
}

function compared(
  { classifier }: BackendModel,
  one: ModelAnswer,
  other: ModelAnswer,
  n: number,
): Pick<ShadowReport, 'agreed' | 'difference'> {
  const scores = ({ outputs }: ModelAnswer): Float32Array | undefined => {
    const found = outputs.find(({ name }) => name === classifier?.output);
    return found && found.datatype !== 'BYTES' ? floatsOf(found) : undefined;
  };
  const [a, b] = [scores(one), scores(other)];
  if (!classifier || !a || !b || a.length !== b.length || a.length !== n * classifier.classes)
    return { agreed: undefined, difference: undefined };
  let agreed = 0;
  let difference = 0;
  for (let row = 0; row < n; row++) {
    let [first, second] = [0, 0];
    const at = row * classifier.classes;
    for (let k = 0; k < classifier.classes; k++) {
      if (a[at + k]! > a[at + first]!) first = k;
      if (b[at + k]! > b[at + second]!) second = k;
      difference = Math.max(difference, Math.abs(a[at + k]! - b[at + k]!));
    }
    if (first === second) agreed++;
  }
  return { agreed, difference };
}
