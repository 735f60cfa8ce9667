import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Outgoing } from '../../../oip/index.ts';
import type { Caller, Reply } from '../../call.ts';
import type { Padding } from '../../padding.ts';
import { REFUSALS, type Refusal } from '../../refusal.ts';
import { padBody } from '../../timing/index.ts';
import { acceptedEncoding, compress } from '../inflate.ts';
import { DECISION, RECEIPT } from '../question.ts';

/** Answers shorter than this are never compressed. */
const WORTH_COMPRESSING = 1024;

/** Up to here, one write is cheaper than no copy. */
const ONE_WRITE = 4096;

/** Headers of an answer. */
export type Headers = Record<string, string | number>;

/** How answers are sent. */
export interface ExchangeOptions {
  readonly compresses: boolean;
  readonly padding: Padding | undefined;
  /** Whether the connection ends with this answer; asked as it is sent. */
  readonly isLast: () => boolean;
}

/** One request and its answer. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly caller: Caller;
  readonly arrived: number;
  readonly #options: ExchangeOptions;
  #controller: AbortController | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, caller: Caller, options: ExchangeOptions) {
    this.request = request;
    this.response = response;
    this.caller = caller;
    this.arrived = performance.now();
    this.#options = options;
  }

  /** Fires when the caller has gone before the answer was sent. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      const controller = new AbortController();
      this.#controller = controller;
      this.response.once('close', () => {
        if (!this.response.writableFinished) controller.abort();
      });
    }
    return this.#controller.signal;
  }

  /** Sends an answer. Nothing in `headers` may come from a caller. */
  send(status: number, headers: Headers, body: Uint8Array): void {
    const { request, response } = this;
    if (response.destroyed || response.headersSent) return;
    headers['content-length'] = body.length;
    headers['x-content-type-options'] = 'nosniff';
    headers['cache-control'] ??= 'no-store';
    if (this.#options.isLast() || isUnread(request)) headers.connection = 'close';
    response.writeHead(status, headers);
    // Header and body in one piece: the text of bytes in Latin-1 is those bytes.
    if (body.length <= ONE_WRITE)
      response.end(Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1'), 'latin1');
    else response.end(body);
  }

  /** Sends an answer of the gateway's: filled up, or compressed if that was asked for and is worth it. */
  answer({ body, headers }: Outgoing, more: Headers): Promise<void> | undefined {
    const { padding, compresses } = this.#options;
    const padded = padding ? padBody({ body, headers }, padding) : { body, headers };
    const encoding =
      compresses && body.length >= WORTH_COMPRESSING
        ? acceptedEncoding(this.request.headers['accept-encoding'] as string | undefined)
        : undefined;
    if (encoding !== undefined)
      return compress([body], encoding).then((smaller) =>
        this.send(
          200,
          { ...headers, ...more, 'content-encoding': encoding, vary: 'accept-encoding' },
          smaller,
        ),
      );
    this.send(200, { ...padded.headers, ...more }, padded.body);
    return undefined;
  }

  json(status: number, value: unknown, headers: Headers = {}): void {
    const { padding } = this.#options;
    const message = { body: Buffer.from(JSON.stringify(value)), headers: {} };
    const { body } = padding ? padBody(message, padding) : message;
    this.send(status, { 'content-type': 'application/json', ...headers }, body);
  }

  /** Sends a refusal that the gateway decided: one of a fixed list of messages, and what belongs to the decision. */
  refuse({ refusal, decision, retryAfter, id, receipt }: Extract<Reply, { kind: 'refusal' }>): void {
    const { status, message } = REFUSALS[refusal];
    const headers: Headers = { [DECISION]: decision };
    if (retryAfter !== undefined) headers['retry-after'] = Math.max(1, Math.ceil(retryAfter));
    if (refusal === 'unauthenticated') headers['www-authenticate'] = 'Bearer';
    const more = { ...(id !== undefined && { id }), ...(receipt !== undefined && { [RECEIPT]: receipt }) };
    this.json(status, { error: message, ...more }, headers);
  }
}

/** Whether a body follows that was not read to its end: there is no next request then. */
function isUnread({ complete, headers }: IncomingMessage): boolean {
  if (complete) return false;
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

/** A refusal as raw HTTP, for what is no request: its bytes, to be written before the connection is closed. */
export function rawRefusal(refusal: Refusal, status: number, reason: string): string {
  const body = JSON.stringify({ error: REFUSALS[refusal].message });
  return `HTTP/1.1 ${status} ${reason}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`;
}
