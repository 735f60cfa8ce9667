import type { DecisionDetail, DecisionRow, Page } from '../../console/api.ts';
import type { KeptInput } from './kept-input.ts';

/** Which decisions; all that is given must hold. */
export interface DecisionQuery {
  readonly principal?: string | undefined;
  readonly tenant?: string | undefined;
  readonly model?: string | undefined;
  readonly digest?: string | undefined;
  readonly outcome?: string | undefined;
  readonly id?: string | undefined;
  /** Milliseconds since 1970. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Only entries before this one. */
  readonly before?: number | undefined;
  readonly most?: number | undefined;
}

/** What the thread is asked. `reveal`: what is sealed is opened. */
export type LiveQuestion =
  | { readonly kind: 'page'; readonly query: DecisionQuery; readonly reveal: boolean }
  | { readonly kind: 'find'; readonly which: string; readonly reveal: boolean }
  | { readonly kind: 'input'; readonly which: string }
  | { readonly kind: 'state' };

/** How far the index is. */
export interface LiveState {
  /** Entries under the newest signed checkpoint, when that was signed (milliseconds since 1970; 0 where it does not say), and its root in base64. */
  readonly size: number;
  readonly at: number;
  readonly root: string;
  /** Entries that the index has. */
  readonly indexed: number;
}

/** What it answers. */
export type LiveAnswer = Page<DecisionRow> | DecisionDetail | KeptInput | LiveState | undefined;

/** What it is started with. */
export interface LiveWorkerData {
  readonly glacis: 'live-log';
  /** The folder of the recorder. */
  readonly folder: string;
  readonly origin: string;
  /** The log's keys, as verifiers take them. */
  readonly keys: readonly string[];
  readonly sealed: boolean;
  /** As `openWrappingKey` reads it. */
  readonly wrappingKey: string;
}

/** A question on its way, and the answer to it. */
export type LiveRequest = LiveQuestion & { readonly id: number };
export type LiveReply =
  | { readonly id: number; readonly ok: true; readonly answer: LiveAnswer }
  | { readonly id: number; readonly ok: false; readonly code: string; readonly message: string };
