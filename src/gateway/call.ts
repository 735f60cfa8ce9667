import type { PeerCertificate } from 'node:tls';
import type { AttributionMethod } from '../explain/attributions.ts';
import type { InferRequest, InferResponse } from '../oip/index.ts';
import type { Refusal } from './refusal.ts';

/** Who asks, as the connection shows it. Nothing here has been verified, except that a certificate comes from a handshake. */
export interface Caller {
  /** The remote address, of the nearest proxy that is not trusted. */
  readonly address: string;
  /** The `Authorization` header or metadata entry. A secret: never logged. */
  readonly authorization?: string | undefined;
  /** The client's certificate where TLS asked for one and its chain was verified. */
  readonly certificate?: PeerCertificate | undefined;
  /** What the call is part of, as its header `traceparent` says, and whether a trusted proxy says so. */
  readonly trace?: { readonly parent: string; readonly isTrusted: boolean } | undefined;
}

/** What a face (REST or gRPC) hands over: a well-formed request of the protocol, checked against no model yet. */
export interface Question {
  readonly model: string;
  /** The version asked for; the one in service without. */
  readonly version?: string | undefined;
  readonly request: InferRequest;
  readonly caller: Caller;
  /** When the first byte came, in milliseconds of `performance.now()`: answers are due relative to it. */
  readonly arrived: number;
  /** Length of the body, after inflating. */
  readonly bytes: number;
  /** Whether the caller wants a receipt: a proof that the decision is in the log. */
  readonly wantsReceipt: boolean;
  /** How the caller wants the answer explained; not at all without. */
  readonly explanation?: AttributionMethod | undefined;
  /** Fires when the caller has gone. What was taken from a budget stays taken. */
  readonly signal: AbortSignal;
}

/** What a face sends back. */
export type Reply =
  | {
      readonly kind: 'answer';
      readonly response: InferResponse;
      /** The `tlog-proof` of the decision's entry, where it was asked for. */
      readonly receipt?: string | undefined;
      /** The decision's id, for questions about it: it says nothing by itself. */
      readonly decision: string;
    }
  | {
      readonly kind: 'refusal';
      readonly refusal: Refusal;
      /** Seconds after which to try again. */
      readonly retryAfter?: number | undefined;
      /** What the caller gave as the request's `id`. */
      readonly id?: string | undefined;
      readonly decision: string;
      readonly receipt?: string | undefined;
    };
