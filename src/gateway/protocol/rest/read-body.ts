import type { IncomingMessage } from 'node:http';
import type { Lease } from '../byte-budget.ts';
import { GatheredBytes, type Overflow } from '../gathered-bytes.ts';

/** Why there is no body: it is too large, there is no room, or the sender has gone. */
export type BodyFault = Overflow | 'gone';

/** Reads a request's body, at most `most` bytes, all of which are in the lease. `align`: as for {@link GatheredBytes}. */
export function readBody(
  request: IncomingMessage,
  { most, lease, align }: { readonly most: number; readonly lease: Lease; readonly align: number },
): Promise<Uint8Array | BodyFault> {
  const header = request.headers['content-length'];
  const declared = header === undefined ? undefined : Number(header);
  if (declared !== undefined && !(declared <= most)) return Promise.resolve('too-large');
  return new Promise((resolve) => {
    const into = new GatheredBytes(declared, most, lease, align);
    const finish = (with_: Uint8Array | BodyFault): void => {
      request.off('data', onData);
      request.off('end', onEnd);
      request.off('close', onClose);
      resolve(with_);
    };
    const onData = (piece: Buffer): void => {
      const overflow = into.add(piece);
      if (overflow === undefined) return;
      request.pause();
      finish(overflow);
    };
    const onEnd = (): void => finish(into.bytes());
    const onClose = (): void => finish('gone');
    request.on('data', onData);
    request.on('end', onEnd);
    request.on('close', onClose);
  });
}

/**
 * What bodies are called. The third is what `curl -d` says of any text; a web page could send it without asking first, but it has no credentials to send with it:
 * there are no cookies here.
 */
const MEDIA: ReadonlySet<string> = new Set([
  'application/json',
  'application/octet-stream',
  'application/x-www-form-urlencoded',
]);

/** What a body is, by its headers; undefined: nothing that is understood. */
export function encodingOf(request: IncomingMessage): 'identity' | 'gzip' | 'deflate' | undefined {
  const type = request.headers['content-type'];
  if (type !== undefined) {
    const end = type.indexOf(';');
    const media = (end < 0 ? type : type.slice(0, end)).trim().toLowerCase();
    if (!MEDIA.has(media)) return undefined;
  }
  const encoding = request.headers['content-encoding'];
  if (encoding === undefined) return 'identity';
  const name = encoding.trim().toLowerCase();
  return name === 'gzip' || name === 'deflate' || name === 'identity' ? name : undefined;
}
