import {
  type ClientHttp2Session,
  connect,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from 'node:http2';
import { GlacisError } from '../core/error.ts';
import { encodeError } from '../oip/error-body.ts';
import { quoted } from '../onnx/problems.ts';
import { httpStatusOf } from './grpc-status.ts';
import type { Reply } from './http-exchange.ts';

/** One unary call. */
export interface GrpcCall {
  readonly path: string;
  /** In pieces. */
  readonly message: readonly Uint8Array[];
  /** Most bytes of the message that answers it. */
  readonly maxBytes: number;
}

/** A connection for many calls at once. */
export interface GrpcConnection {
  /**
   * Makes one try. A refusal has the status of HTTP that its code stands for, and what it says as the protocol's JSON.
   * Errors: `endpoint/bad-answer`; failures of the network as Node throws them, and the signal's reason.
   */
  call(call: GrpcCall, signal: AbortSignal): Promise<Reply>;
  close(): void;
}

/** Bytes in front of a message: whether it is compressed, and its length. */
const PREFIX = 5;
/** Bytes of a refusal by something that does not speak gRPC. */
const REFUSAL_BYTES = 8192;
/** Bytes that may be on the way to us on one stream, and on the connection. */
const WINDOW = 2 ** 20;
/** Requests that wait for the network count, too: many large ones may be under way. */
const SESSION_MEGABYTES = 1024;

/**
 * Calls over HTTP/2, connected when there is something to ask and again after the connection has ended. Own framing over Node's, as in
 * the gateway: an answer is bounded call by call, and the environment (proxies, service configurations in DNS) has no say in
 * where samples and credentials go. Does not keep the process alive by itself.
 * Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md.
 */
export function grpcConnection(
  origin: string,
  where: string,
  headers: Readonly<Record<string, string>>,
): GrpcConnection {
  /** The newest connection; older ones live until their last call has ended. */
  let newest: { readonly session: ClientHttp2Session; calls: number } | undefined;
  const connected = () => {
    if (newest && !newest.session.closed && !newest.session.destroyed) return newest;
    const session = connect(origin, {
      settings: { enablePush: false, initialWindowSize: WINDOW },
      maxSessionMemory: SESSION_MEGABYTES,
    });
    session.once('connect', () => session.setLocalWindowSize(4 * WINDOW));
    // Its calls hear of it.
    session.on('error', () => {});
    session.unref();
    newest = { session, calls: 0 };
    return newest;
  };
  return {
    async call(call, signal) {
      signal.throwIfAborted();
      const used = connected();
      const { session } = used;
      if (used.calls++ === 0) session.ref();
      try {
        return await unary(session, headers, call, where, signal);
      } catch (thrown) {
        // One that hangs while it connects would make every other call hang.
        if (session.connecting) session.destroy();
        throw thrown;
      } finally {
        if (--used.calls === 0) session.unref();
      }
    },
    close: () => newest?.session.destroy(),
  };
}

function unary(
  session: ClientHttp2Session,
  given: Readonly<Record<string, string>>,
  { path, message, maxBytes }: GrpcCall,
  where: string,
  signal: AbortSignal,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      ...given,
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-accept-encoding': 'identity',
    });
    let head: IncomingHttpHeaders & IncomingHttpStatusHeader = {};
    let trailers: IncomingHttpHeaders = {};
    const pieces: Uint8Array[] = [];
    let length = 0;
    const cancel = () => {
      stream.close(constants.NGHTTP2_CANCEL);
      reject(signal.reason);
    };
    signal.addEventListener('abort', cancel, { once: true });
    stream.on('response', (received) => {
      head = received;
    });
    stream.on('trailers', (received) => {
      trailers = received;
    });
    stream.on('data', (piece: Uint8Array) => {
      const isGrpc = head[':status'] === 200;
      length += piece.length;
      if (length <= (isGrpc ? PREFIX + maxBytes : REFUSAL_BYTES)) {
        pieces.push(piece);
        return;
      }
      stream.close(constants.NGHTTP2_CANCEL);
      if (isGrpc) reject(bad(where, `an answer of at most ${maxBytes} bytes`, 'more'));
    });
    stream.on('error', reject);
    stream.on('close', () => {
      signal.removeEventListener('abort', cancel);
      try {
        resolve(replyFrom(head, trailers, Buffer.concat(pieces), where));
      } catch (thrown) {
        reject(thrown);
      }
    });
    const size = message.reduce((sum, piece) => sum + piece.length, 0);
    const prefix = Buffer.alloc(PREFIX);
    prefix.writeUInt32BE(size, 1);
    stream.end(Buffer.concat([prefix, ...message], PREFIX + size));
  });
}

/** Attacker-controlled: headers, trailers and body. */
function replyFrom(
  head: IncomingHttpHeaders & IncomingHttpStatusHeader,
  trailers: IncomingHttpHeaders,
  body: Uint8Array,
  where: string,
): Reply {
  const status = head[':status'];
  if (status === undefined) throw new Error('the connection ended without an answer');
  const last = { ...head, ...trailers };
  const headers = new Headers();
  for (const name of ['retry-after', 'date']) {
    const value = last[name];
    if (typeof value === 'string') headers.set(name, value);
  }
  if (status !== 200) return { status, headers, body: body.subarray(0, REFUSAL_BYTES) };
  const type = head['content-type'] ?? '';
  if (!/^application\/grpc(?:$|[;+])/.test(type))
    throw bad(where, 'an answer of gRPC', `the content type ${quoted(type)}`);
  const code = last['grpc-status'];
  if (code === undefined) throw new Error('the call ended without a status');
  if (code === '0') return { status, headers, body: messageIn(body, where) };
  const said = decoded(`${last['grpc-message'] ?? ''}`);
  return { ...httpStatusOf(Number(code), said), headers, body: encodeError(said) };
}

function messageIn(body: Uint8Array, where: string): Uint8Array {
  if (body.length < PREFIX) throw bad(where, 'a message', 'none');
  if (body[0] !== 0) throw bad(where, 'a message as it is', 'a compressed one');
  const declared = new DataView(body.buffer, body.byteOffset).getUint32(1);
  if (declared !== body.length - PREFIX)
    throw bad(where, `one message of ${declared} bytes`, `${body.length - PREFIX} bytes`);
  return body.subarray(PREFIX);
}

/** Percent-encoded, as the specification has it; shown as it is where it is not. */
function decoded(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}

function bad(where: string, expected: string, got: string): GlacisError {
  return new GlacisError('endpoint/bad-answer', `${where}: expected ${expected}, got ${got}`);
}
