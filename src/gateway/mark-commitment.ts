import { marksAnswers } from './config/sections.ts';
import type { ServeConfig } from './config/serve-schema.ts';
import type { Event } from './decision.ts';
import { watermarkCommitment } from './respond/index.ts';

/** What writing the commitment down depends on. */
interface CommitmentSurroundings {
  /** Writes an event to the log and comes back when it is on the disk. Errors: `output/unwritable`. */
  readonly record: (event: Event) => Promise<unknown>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Commits to the key of watermarks in the log, once, where a configuration marks answers. Call it before they are marked: what a proof of theft rests on was fixed before anybody
 * asked. Errors: those of `record`.
 */
export function markCommitment(
  secret: Uint8Array,
  { record, now }: CommitmentSurroundings,
): (config: ServeConfig) => Promise<void> {
  let committed = false;
  return async (config) => {
    if (committed || !marksAnswers(config)) return;
    const about = { commitment: watermarkCommitment(secret) };
    await record({ kind: 'event', at: now(), event: 'watermark-key-committed', by: 'glacis', about });
    committed = true;
  };
}
