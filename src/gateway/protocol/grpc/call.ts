import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Caller, Reply } from '../../call.ts';
import type { Padding } from '../../padding.ts';
import { REFUSALS, type Refusal } from '../../refusal.ts';
import { paddingField } from '../../timing/index.ts';
import { compress, type Encoding } from '../inflate.ts';
import { DECISION, RECEIPT } from '../question.ts';
import { framed } from './message-reader.ts';

const HEADERS = {
  ':status': 200,
  'content-type': 'application/grpc',
  'grpc-accept-encoding': 'identity,deflate,gzip',
} as const;
const WORTH_COMPRESSING = 1024;

/** One call and its answer. */
export class Call {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly caller: Caller;
  readonly arrived = performance.now();
  readonly #controller = new AbortController();
  #isAnswered = false;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, caller: Caller) {
    this.stream = stream;
    this.headers = headers;
    this.caller = caller;
    stream.once('close', () => {
      if (!this.#isAnswered) this.#controller.abort();
    });
    // A stream that is reset by its caller is no error of ours.
    stream.on('error', () => {});
  }

  /** Fires when the caller has gone, by itself or because its deadline has passed. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Sends the answer. Nothing in `trailers` may come from a caller. */
  async answer(
    message: readonly Uint8Array[],
    {
      encoding,
      padding,
      trailers,
    }: {
      readonly encoding?: Encoding | undefined;
      readonly padding?: Padding | undefined;
      readonly trailers?: object;
    },
  ): Promise<void> {
    const length = message.reduce((sum, piece) => sum + piece.length, 0);
    const small = encoding !== undefined && length >= WORTH_COMPRESSING;
    const body = small
      ? [await compress(message, encoding)]
      : padding
        ? [...message, paddingField(length, padding)]
        : message;
    const { stream } = this;
    if (this.#isAnswered || stream.destroyed || stream.closed) return;
    this.#isAnswered = true;
    stream.respond(small ? { ...HEADERS, 'grpc-encoding': encoding } : HEADERS, { waitForTrailers: true });
    stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': 0, ...trailers }));
    const pieces = framed(body, small);
    for (const piece of pieces.slice(0, -1)) stream.write(piece);
    stream.end(pieces.at(-1));
  }

  /** Sends a refusal that the gateway decided; `code` in place of its own, where gRPC has a better one. */
  refuse(reply: Extract<Reply, { kind: 'refusal' }>, code?: number): void {
    this.fail(reply.refusal, code, {
      [DECISION]: reply.decision,
      ...(reply.retryAfter !== undefined && { 'retry-after': Math.max(1, Math.ceil(reply.retryAfter)) }),
      ...(reply.receipt !== undefined && {
        [`${RECEIPT}-bin`]: Buffer.from(reply.receipt).toString('base64').replace(/=+$/, ''),
      }),
    });
  }

  /** Ends the call with a refusal's code and message alone. */
  fail(refusal: Refusal, code?: number, trailers: object = {}): void {
    const { stream } = this;
    if (this.#isAnswered || stream.destroyed || stream.closed) return;
    this.#isAnswered = true;
    const { grpc, message } = REFUSALS[refusal];
    stream.respond(
      { ...HEADERS, 'grpc-status': code ?? grpc, 'grpc-message': encodeURI(message), ...trailers },
      { endStream: true },
    );
    // What the caller still sends is not read: the answer is complete without it (RFC 9113, section 8.1).
    if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
  }

  /** Ends a call whose deadline has passed. */
  late(): void {
    this.fail('late');
    this.#controller.abort();
  }
}
