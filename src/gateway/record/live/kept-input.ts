import { GlacisError } from '../../../core/error.ts';
import { openKeptPayload } from '../kept-payload.ts';
import type { DecisionEntry } from '../read-entry.ts';
import type { SubjectNames } from './subject-names.ts';

/** What is left of the inputs of a decision. */
export interface KeptInput {
  readonly entry: number;
  readonly decision: DecisionEntry['decision'];
  /** `erased`: the key of whom it is about is gone. `unreadable`: its time had come, or it was changed; `because` says which. */
  readonly state: 'kept' | 'not-kept' | 'erased' | 'unreadable';
  readonly because?: string | undefined;
  /** The bytes of each input, in the order of the model's metadata; empty unless kept. */
  readonly inputs: readonly Uint8Array[];
}

/** Opens the inputs of a decision, or says why they cannot be. Errors: those of reading keys. */
export async function keptInput(
  entry: number,
  found: DecisionEntry,
  { names, payloads }: { readonly names: Pick<SubjectNames, 'keyOf'>; readonly payloads: string },
): Promise<KeptInput> {
  const about = { entry, decision: found.decision, inputs: [] };
  if (found.payload === undefined) return { ...about, state: 'not-kept' };
  const key = await names.keyOf(found, true);
  if (key === undefined) return { ...about, state: 'erased' };
  try {
    const kept = await openKeptPayload(found, key, payloads);
    // Copies: each part goes to another thread by itself.
    return { ...about, state: 'kept', inputs: kept!.input.map((part) => Uint8Array.from(part)) };
  } catch (thrown) {
    if (!(thrown instanceof GlacisError && thrown.code === 'vault/unreadable')) throw thrown;
    return { ...about, state: 'unreadable', because: thrown.message };
  }
}
