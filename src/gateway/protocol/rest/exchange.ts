import type { IncomingMessage, ServerResponse } from 'node:http';
import { encodeError } from '../../../oip/index.ts';
import type { Caller, Reply } from '../../call.ts';
import { REFUSALS, type Refusal } from '../../refusal.ts';
import { acceptedEncoding, compress } from '../inflate.ts';
import { DECISION, RECEIPT } from '../question.ts';

/** Answers shorter than this are never compressed. */
const WORTH_COMPRESSING = 1024;

/** Headers of an answer. */
export type Headers = Record<string, string | number>;

/** One request and its answer. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly caller: Caller;
  readonly arrived: number;
  readonly #compresses: boolean;
  readonly #isLast: () => boolean;
  #controller: AbortController | undefined;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    caller: Caller,
    options: { readonly compresses: boolean; readonly isLast: () => boolean },
  ) {
    this.request = request;
    this.response = response;
    this.caller = caller;
    this.arrived = performance.now();
    this.#compresses = options.compresses;
    this.#isLast = options.isLast;
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
    if (this.#isLast() || isUnread(request)) headers.connection = 'close';
    response.writeHead(status, headers);
    response.end(body);
  }

  /** Sends an answer compressed, if that was asked for and is worth it. */
  async sendSmall(status: number, headers: Headers, body: Uint8Array): Promise<void> {
    const encoding =
      this.#compresses && body.length >= WORTH_COMPRESSING
        ? acceptedEncoding(this.request.headers['accept-encoding'] as string | undefined)
        : undefined;
    if (encoding === undefined) {
      this.send(status, headers, body);
      return;
    }
    const smaller = await compress([body], encoding);
    this.send(status, { ...headers, 'content-encoding': encoding, vary: 'accept-encoding' }, smaller);
  }

  json(status: number, value: unknown): void {
    this.send(status, { 'content-type': 'application/json' }, Buffer.from(JSON.stringify(value)));
  }

  /** Sends a refusal that the gateway decided: one of a fixed list of messages, and what belongs to the decision. */
  refuse(reply: Extract<Reply, { kind: 'refusal' }>): void {
    const { status, message } = REFUSALS[reply.refusal];
    const headers: Headers = { 'content-type': 'application/json', [DECISION]: reply.decision };
    if (reply.retryAfter !== undefined) headers['retry-after'] = Math.max(1, Math.ceil(reply.retryAfter));
    if (reply.refusal === 'unauthenticated') headers['www-authenticate'] = 'Bearer';
    const { id, receipt } = reply;
    const body =
      id === undefined && receipt === undefined
        ? encodeError(message)
        : Buffer.from(
            JSON.stringify({
              error: message,
              ...(id !== undefined && { id }),
              ...(receipt !== undefined && { [RECEIPT]: receipt }),
            }),
          );
    this.send(status, headers, body);
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
