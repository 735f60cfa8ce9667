import type { Decision, Event } from './decision.ts';

/** What a decision was about, for commitments and, where the policy asks for it, the encrypted payload. */
export interface Payload {
  /** Bytes of the inputs as the model saw them, in the order of its metadata. */
  readonly input: readonly Uint8Array[];
  /** Bytes of the outputs as they were answered; empty where nothing was. */
  readonly output: readonly Uint8Array[];
  /** Whom it is about, where a parameter of the request says so; the principal otherwise. */
  readonly subject?: string | undefined;
}

/** Writes what was decided where it cannot be changed unseen. */
export interface Recorder {
  /**
   * Gives the entry's index once it is on the disk: an answer leaves after that.
   * Errors: `output/unwritable`; then nothing more is recorded, and nothing more may be served.
   */
  record(entry: Decision | Event, payload?: Payload): Promise<number>;
  /** The `tlog-proof` of an entry, once a signed checkpoint holds it. */
  receipt(index: number): Promise<string>;
  /** Why nothing can be recorded any more; undefined while all is well. */
  readonly broken: string | undefined;
  close(): Promise<void>;
}
