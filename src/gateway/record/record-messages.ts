import type { KeyObject } from 'node:crypto';
import type { NoteAlgorithm } from '../../ledger/index.ts';

/** What the thread that writes is started with. */
export interface RecordWorkerData {
  readonly glacis: 'record';
  readonly folder: string;
  readonly origin: string;
  readonly signers: readonly { readonly algorithm: NoteAlgorithm; readonly privateKey: KeyObject }[];
  readonly publishEvery: number;
  readonly freeSpace: number;
  readonly sealWho: boolean;
  readonly keep: 'none' | 'input' | 'both';
  readonly retention: number;
  readonly mostPayloads: number;
  /** As `openWrappingKey` reads it. */
  readonly wrappingKey: string;
}

/** What is asked of it. Each is answered once, records in their order. */
export type RecordRequest =
  | { readonly id: number; readonly kind: 'records'; readonly frame: Uint8Array<ArrayBuffer> }
  | { readonly id: number; readonly kind: 'receipt'; readonly index: number }
  | { readonly id: number; readonly kind: 'erase'; readonly subject: string }
  | { readonly id: number; readonly kind: 'close' };

/** What it says. `id` 0 is about itself: it is ready, the disk is low, it can write no more. */
export type RecordReply =
  | {
      readonly id: number;
      readonly ok: true;
      readonly value: number | string | undefined;
      /** The buffer of a frame that nobody needs any more. */
      readonly spare?: ArrayBuffer | undefined;
    }
  | {
      readonly id: number;
      readonly ok: false;
      readonly code: string;
      readonly message: string;
      readonly broken: boolean;
    }
  | {
      readonly id: 0;
      readonly about: 'ready';
      readonly recovered: { readonly entries: number; readonly torn: number } | undefined;
      readonly size: number;
    }
  | { readonly id: 0; readonly about: 'space'; readonly free: number; readonly low: boolean }
  | { readonly id: 0; readonly about: 'broken'; readonly message: string }
  | {
      readonly id: 0;
      readonly about: 'swept';
      readonly files: readonly string[];
      readonly bytes: number;
      readonly because: string;
    };
