import type { Evidence } from '../evidence/read-statement.ts';

/** The model that asks to be let through. */
export interface GateModel {
  /** What the caller calls it. Not shown by any evidence: a policy that goes by names trusts its caller for them. */
  readonly name: string;
  /** Root digests that its files were found to have, `sha256:…`. A signature of a known signer may name it by another one (BLAKE3, shards). */
  readonly roots: readonly string[];
  /** Digests of its files, `sha256:…`. */
  readonly files: readonly string[];
}

/** What the gate is asked. */
export interface GateQuestion {
  readonly model: GateModel;
  readonly stage: string;
  readonly evidence: readonly Evidence[];
  /** The time, milliseconds since 1970. */
  readonly now: number;
}
