import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GlacisError } from '../../src/core/error.ts';
import {
  decodeInferRequest,
  encodeError,
  encodeInferResponse,
  encodeModelMetadata,
  wantsBinary,
} from '../../src/oip/index.ts';
import { GARBAGE, type Garbage } from './garbage.ts';
import { answerOf, metadataOf, namesOf, refusalOf, type ServedModel } from './model.ts';

/**
 * A server of the Open Inference Protocol on this machine that answers from a function, and misbehaves on request: for tests of
 * whatever asks an endpoint. {@link OipServer.faults} may be changed while it runs.
 *
 * @example
 * const server = await startServer({ sampleShape: [2], outputs: 3, answer: (x, n) => scoresOf(x, n) });
 * server.faults.throttle = { every: 3 };
 * const oracle = await openRemote(server.url, { sleep: async () => {} });
 * …
 * await server.stop();
 */
export async function startServer(model: ServedModel, options: ServerOptions = {}): Promise<OipServer> {
  const faults: Faults = { ...options.faults };
  const received: Received = { requests: 0, questions: 0, samples: 0, atOnce: 0, batches: [], headers: [] };
  let open = 0;
  const server = createServer(async (request, response) => {
    received.requests++;
    received.headers.push(request.headers);
    received.atOnce = Math.max(received.atOnce, ++open);
    response.on('close', () => open--);
    try {
      await handle(request, response, model, options, faults, received);
    } catch (thrown) {
      const invalid = thrown instanceof GlacisError && thrown.code === 'request/invalid';
      refuse(response, invalid ? 400 : 500, thrown instanceof Error ? thrown.message : String(thrown));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    url: `${origin}/v2/models/${namesOf(model).name}`,
    faults,
    received,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** How the server speaks. */
export interface ServerOptions {
  /** `json answers`: binary questions are read, and answered in JSON; a status: they are refused with it. `both` unless given. */
  readonly format?: 'both' | 'json answers' | 400 | 415 | 422 | 500;
  /** Bearer token without which nothing is answered. */
  readonly token?: string;
  readonly faults?: Faults;
}

/** What goes wrong. Questions are counted from 1. */
export interface Faults {
  /** Every `every`-th question is refused with 429 (or `status`) and, where given, this `Retry-After`. */
  throttle?: { readonly every: number; readonly status?: number; readonly retryAfter?: string } | undefined;
  /** The connection of every `every`-th question is cut, before the answer or in its middle. */
  drop?: { readonly every: number; readonly when: 'before' | 'in the middle' } | undefined;
  /** Every question gets this in place of an answer; `endless` never stops. */
  garbage?: Garbage | 'endless' | undefined;
  /** No question is answered at all. */
  hang?: boolean | undefined;
  /** Everything is sent elsewhere with this status. */
  redirect?: { readonly to: string; readonly status: number } | undefined;
  /** Everything is refused with this status and text. */
  refuse?: { readonly status: number; readonly text: string } | undefined;
}

/** What has come in. */
export interface Received {
  requests: number;
  /** Requests for inference. */
  questions: number;
  /** Samples that were answered. */
  samples: number;
  /** Most requests under way at once. */
  atOnce: number;
  /** Samples in each question that was answered. */
  batches: number[];
  headers: IncomingMessage['headers'][];
}

/** A running server. */
export interface OipServer {
  readonly origin: string;
  /** Address of the model. */
  readonly url: string;
  readonly faults: Faults;
  readonly received: Readonly<Received>;
  stop(): Promise<void>;
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  model: ServedModel,
  { format = 'both', token }: ServerOptions,
  faults: Faults,
  received: Received,
): Promise<void> {
  const { name } = namesOf(model);
  const body = await bodyOf(request);
  const path = new RegExp(`^/v2/models/${name}(?:/versions/1)?(/infer)?$`).exec(request.url ?? '');
  if (faults.redirect) {
    reply(response, faults.redirect.status, new Uint8Array(0), { location: faults.redirect.to });
    return;
  }
  if (faults.refuse) {
    refuse(response, faults.refuse.status, faults.refuse.text);
    return;
  }
  if (!path) {
    refuse(response, 404, 'no such model');
    return;
  }
  if (token !== undefined && request.headers.authorization !== `Bearer ${token}`) {
    refuse(response, 401, 'not authorised');
    return;
  }
  if (path[1] === undefined) {
    reply(response, 200, encodeModelMetadata(metadataOf(model)));
    return;
  }
  const question = ++received.questions;
  if (faults.hang) return;
  const { throttle, drop, garbage } = faults;
  if (throttle && question % throttle.every === 0) {
    const headers = throttle.retryAfter === undefined ? {} : { 'retry-after': throttle.retryAfter };
    reply(response, throttle.status ?? 429, encodeError('slow down'), headers);
    return;
  }
  const dropped = drop && question % drop.every === 0 ? drop.when : undefined;
  if (dropped === 'before') {
    request.socket.destroy();
    return;
  }
  const jsonLength = request.headers['inference-header-content-length']?.toString();
  if (jsonLength !== undefined && typeof format === 'number') {
    refuse(response, format, 'cannot read that');
    return;
  }
  const asked = decodeInferRequest({ body, jsonLength });
  const refusal = refusalOf(model, asked);
  if (refusal) {
    refuse(response, refusal.status, refusal.text);
    return;
  }
  const answer = await answerOf(model, asked, question);
  received.batches.push(asked.inputs[0]!.shape[0]!);
  received.samples += asked.inputs[0]!.shape[0]!;
  if (garbage === 'endless') {
    pour(response);
    return;
  }
  const { id } = asked;
  const written = garbage
    ? GARBAGE[garbage](answer, id)
    : encodeInferResponse(
        { modelName: name, modelVersion: '1', ...(id !== undefined && { id }), outputs: [answer] },
        (output) => format === 'both' && wantsBinary(asked, output),
      );
  if (dropped === 'in the middle') {
    response.writeHead(200, { ...written.headers, 'content-length': written.body.length });
    response.write(written.body.subarray(0, written.body.length / 2), () => request.socket.destroy());
    return;
  }
  reply(response, 200, written.body, written.headers);
}

/** Sends blanks for as long as somebody reads them. */
function pour(response: ServerResponse): void {
  const chunk = new Uint8Array(2 ** 16).fill(0x20);
  const more = (): void => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', more);
  response.writeHead(200);
  more();
}

function reply(
  response: ServerResponse,
  status: number,
  body: Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-length': body.length, ...headers });
  response.end(body);
}

function refuse(response: ServerResponse, status: number, text: string): void {
  if (!response.headersSent)
    reply(response, status, encodeError(text), { 'content-type': 'application/json' });
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
