import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { signRequest } from './sign-request.ts';

/** A small S3-like server in memory: objects, conditional writes, uploads in parts, signatures and digests checked. */
export interface S3Server {
  readonly endpoint: string;
  readonly objects: Map<string, Buffer>;
  /** Requests so far, as `METHOD key`. */
  readonly requests: string[];
  /** Answers this many requests with 503 first. */
  failNext: number;
  /** Whether conditions are looked at, as old servers do not. */
  conditional: boolean;
  close(): Promise<void>;
}

/** Keys that the server takes. */
export const S3_ENV = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'r1' };

export async function s3Server(): Promise<S3Server> {
  const objects = new Map<string, Buffer>();
  const uploads = new Map<string, Map<number, Buffer>>();
  const requests: string[] = [];
  const state = { failNext: 0, conditional: true };
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    const url = new URL(request.url ?? '/', `http://${request.headers.host}`);
    const key = decodeURIComponent(url.pathname);
    requests.push(`${request.method} ${key}`);
    const end = (status: number, content: string | Buffer = '', headers = {}) => {
      response.writeHead(status, { 'content-length': Buffer.byteLength(content), ...headers });
      response.end(request.method === 'HEAD' ? undefined : content);
    };
    if (state.failNext > 0) {
      state.failNext--;
      return end(503, '<Error><Code>SlowDown</Code></Error>');
    }
    if (!signatureFits(request, url)) return end(403, '<Error><Code>SignatureDoesNotMatch</Code></Error>');
    if (createHash('sha256').update(body).digest('hex') !== request.headers['x-amz-content-sha256'])
      return end(400, '<Error><Code>XAmzContentSHA256Mismatch</Code></Error>');
    const there = objects.get(key);
    const tag = there && `"${createHash('md5').update(there).digest('hex')}"`;
    const upload = url.searchParams.get('uploadId');
    if (request.method === 'POST' && url.searchParams.has('uploads')) {
      uploads.set('u1', new Map());
      return end(
        200,
        '<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>',
      );
    }
    if (upload !== null) {
      const parts = uploads.get(upload)!;
      if (request.method === 'PUT') {
        parts.set(Number(url.searchParams.get('partNumber')), body);
        return end(200, '', { etag: '"p"' });
      }
      if (request.method === 'POST') objects.set(key, Buffer.concat([...parts.values()]));
      uploads.delete(upload);
      return end(200, '<CompleteMultipartUploadResult/>');
    }
    if (request.method === 'PUT') {
      const { 'if-none-match': none, 'if-match': match } = request.headers;
      if (state.conditional && ((none === '*' && there) || (match !== undefined && match !== tag)))
        return end(412, '<Error><Code>PreconditionFailed</Code></Error>');
      objects.set(key, body);
      return end(200);
    }
    if (there === undefined) return end(404, '<Error><Code>NoSuchKey</Code></Error>');
    return end(200, there, { etag: tag, 'content-length': there.length });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, {
    endpoint: `http://127.0.0.1:${port}`,
    objects,
    requests,
    close: () => new Promise<void>((done) => server.close(() => done())),
  });
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Signs again what came, with the headers that the client says it signed. */
function signatureFits(request: IncomingMessage, url: URL): boolean {
  const given = request.headers.authorization ?? '';
  const signed = /SignedHeaders=([^,]+)/.exec(given)?.[1]?.split(';') ?? [];
  const time = String(request.headers['x-amz-date'] ?? '');
  const now = new Date(time.replace(/(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/, '$1-$2-$3T$4:$5:$6Z'));
  const own = new Set(['host', 'x-amz-date', 'x-amz-content-sha256']);
  const headers = Object.fromEntries(
    signed.filter((name) => !own.has(name)).map((name) => [name, String(request.headers[name])]),
  );
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_REGION } = S3_ENV;
  const bodySha256 = String(request.headers['x-amz-content-sha256']);
  const again = signRequest(
    { method: request.method!, url, headers, bodySha256 },
    { accessKeyId, secretAccessKey },
    AWS_REGION,
    now,
  );
  return again.authorization === given;
}
