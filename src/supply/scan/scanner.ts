import type { ByteSource } from '../../data/byte-source.ts';
import type { Rule } from './finding.ts';
import type { Budget } from './limits.ts';

/**
 * How scanning fits together. The engine ([scan-source.ts](scan-source.ts)) shows every content to every {@link Scanner}
 * of the registry, and each one that recognises it reads it: not the first, because a file may be two formats at once.
 * A container opens its members and hands them back to the engine, one level deeper. Files that only mean something
 * together (a folder, the members of an archive) are shown to every {@link CollectionScanner} first.
 *
 * Fail closed: what a scanner throws becomes a finding `unreadable`, and content that nobody recognises is unreadable,
 * too, unless it is plain text or a scanner vouched for it.
 */

/** What a scanner sees of a content before it says whether it knows the format. Everything is attacker-controlled. */
export interface Probe {
  /** The name that the file or member goes by; a hint at most, because anybody can rename a file. */
  readonly name: string;
  readonly size: number;
  /** The first 4 KiB, or all there is; only for the time of the question, as `tail` is. */
  readonly head: Uint8Array;
  /** The last 68 KiB, or all there is. */
  readonly tail: Uint8Array;
  /** The content itself, where head and tail do not decide. */
  readonly source: ByteSource;
  /** Counts the work of looking closer. */
  readonly budget: Budget;
}

/** Finds one format by its bytes, and reads it. Holds no state. */
export interface Scanner {
  /** In kebab-case, e.g. `safetensors`; results name it as the format of a file. */
  readonly id: string;
  /** What the format is called in documents. */
  readonly title: string;
  /** Every rule that it may report. */
  readonly rules: readonly Rule[];
  /** Whether the content may be of this format. Better once too often: a wrong guess costs time, a missed one a finding. */
  recognises(probe: Probe): boolean | Promise<boolean>;
  /**
   * Reads the content to its end and reports. Reads are exact and at most `budget.limits.readBytes` long.
   * May throw anything: `data/unreadable`, `scan/limit` and all other errors become findings. Must not run forever:
   * call `context.budget.step()` in loops that the content sizes.
   * May find out that the content is of another format after all, which then is not named and vouches for nothing.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: nearly all scanners return nothing.
  scan(source: ByteSource, context: ScanContext): Promise<void | 'another format'>;
}

/** What a scanner may do while it reads. */
export interface ScanContext {
  /** The name that the content goes by; attacker-controlled. */
  readonly name: string;
  /** What all errors begin with: the place in words. */
  readonly where: string;
  readonly budget: Budget;
  readonly signal: AbortSignal | undefined;
  /** The folder or archive that the content lies in, where it lies in one. */
  readonly siblings: Collection | undefined;
  /** Puts a finding on record. `offset` is the byte of this content where it was seen. */
  report(rule: Rule, what: string, offset?: number): void;
  /**
   * Scans a content inside this one, one level deeper, with all scanners: a member, an embedded pickle, a base64 field.
   * False when no scanner knows it and it is no plain text either, which is for the caller to judge.
   */
  nested(name: string, source: ByteSource): Promise<boolean>;
  /** Scans the members of a container: collection scanners first, then each member; reports what nobody recognises. */
  members(collection: Collection): Promise<void>;
}

/** Files that belong together: those of a folder, or the members of an archive. */
export interface Collection {
  readonly kind: 'folder' | 'archive';
  /** Names relative to the collection, with `/` between steps; attacker-controlled. */
  readonly members: readonly { readonly name: string; readonly size: number }[];
  /**
   * Opens a file by its name relative to the collection. The caller closes it.
   * Errors: `data/unreadable` where it is missing, leads out of the collection or is a link.
   */
  open(name: string): Promise<ByteSource>;
  /**
   * Says that a file is raw numbers to the programs that read this collection (external weights, a tensor's storage), so
   * that it need not be of a known format. Scanners that recognise it read it all the same.
   */
  vouch(name: string): void;
}

/** Finds a format that consists of several files, e.g. a SavedModel folder or a PyTorch archive. Holds no state. */
export interface CollectionScanner {
  readonly id: string;
  readonly title: string;
  readonly rules: readonly Rule[];
  /** Whether the names look like this format. */
  recognises(collection: Collection): boolean;
  /** Reads what matters across files, and vouches for raw ones. Contents of single files are their scanners' matter. */
  scan(collection: Collection, context: ScanContext): Promise<void>;
}
