import { readPayloadBytes } from './entry-text.ts';
import { readPayload } from './payload-store.ts';
import type { DecisionEntry } from './read-entry.ts';
import { openBytes } from './sealed-bytes.ts';
import type { SubjectKey } from './subject-keys.ts';

/** What was kept of a call, as bytes: inputs in the order of the model's metadata, outputs where they are kept as well. */
export interface KeptPayload {
  readonly input: readonly Uint8Array[];
  readonly output: readonly Uint8Array[];
}

/**
 * Opens what was kept of a decision; undefined where nothing was. `folder` is that of payloads. Errors: `vault/unreadable` where its time had come, it was changed, or the key is
 * another's.
 */
export async function openKeptPayload(
  { payload, decision }: Pick<DecisionEntry, 'payload' | 'decision'>,
  key: Pick<SubjectKey, 'payloads'>,
  folder: string,
): Promise<KeptPayload | undefined> {
  if (payload === undefined) return undefined;
  const sealed = await readPayload(folder, payload);
  return readPayloadBytes(openBytes(key.payloads, Buffer.from(decision.id, 'hex'), 'payload', sealed));
}
