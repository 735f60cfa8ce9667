import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A small OCI registry in memory that does what the distribution specification says of pulling and pushing, with tokens. */
export interface OciServer {
  readonly host: string;
  readonly blobs: Map<string, Buffer>;
  /** By digest and by tag. */
  readonly manifests: Map<string, Buffer>;
  readonly requests: string[];
  /** What came to the store behind the registry, to which downloads are handed on: its headers. */
  readonly stored: (string | undefined)[];
  close(): Promise<void>;
}

/** `password` makes it ask for a token. */
export async function ociServer(name: string, password?: string): Promise<OciServer> {
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<string, Buffer>();
  const requests: string[] = [];
  const uploads = new Set<string>();
  const digestOf = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    const url = new URL(request.url ?? '/', `http://${request.headers.host}`);
    const method = request.method ?? '';
    requests.push(`${method} ${url.pathname}`);
    const end = (status: number, content: string | Buffer = '', headers = {}) => {
      response.writeHead(status, { 'content-length': Buffer.byteLength(content), ...headers });
      response.end(method === 'HEAD' ? undefined : content);
    };
    const fault = (status: number, code: string) => end(status, JSON.stringify({ errors: [{ code }] }));
    if (url.pathname === '/token') {
      const basic = `Basic ${Buffer.from(`user:${password}`).toString('base64')}`;
      if (request.headers.authorization !== basic) return fault(401, 'UNAUTHORIZED');
      return end(200, JSON.stringify({ token: `for ${url.searchParams.get('scope')}`.replaceAll(' ', '_') }));
    }
    if (
      password !== undefined &&
      request.headers.authorization !== `Bearer for_repository:${name}:pull,push`
    ) {
      const realm = `http://${request.headers.host}/token`;
      return end(401, '', { 'www-authenticate': `Bearer realm="${realm}",service="test"` });
    }
    const [, kind, rest = ''] = new RegExp(`^/v2/${name}/(blobs|manifests)/(.*)$`).exec(url.pathname) ?? [];
    if (kind === 'blobs' && method === 'POST') {
      const id = randomUUID();
      uploads.add(id);
      return end(202, '', { location: `/v2/${name}/blobs/uploads/${id}?state=x` });
    }
    if (kind === 'blobs' && method === 'PUT') {
      if (!uploads.delete(rest.replace('uploads/', ''))) return fault(404, 'BLOB_UPLOAD_UNKNOWN');
      const digest = url.searchParams.get('digest') ?? '';
      if (digestOf(body) !== digest) return fault(400, 'DIGEST_INVALID');
      blobs.set(digest, body);
      return end(201, '', { location: `/v2/${name}/blobs/${digest}` });
    }
    if (kind === 'manifests' && method === 'PUT') {
      const { config, layers, mediaType } = JSON.parse(body.toString()) as {
        mediaType: string;
        config: { digest: string };
        layers: { digest: string }[];
      };
      if (mediaType !== request.headers['content-type']) return fault(400, 'MANIFEST_INVALID');
      if ([config, ...layers].some(({ digest }) => !blobs.has(digest)))
        return fault(404, 'MANIFEST_BLOB_UNKNOWN');
      if (rest.startsWith('sha256:') && rest !== digestOf(body)) return fault(400, 'DIGEST_INVALID');
      for (const key of [rest, digestOf(body)]) manifests.set(key, body);
      return end(201);
    }
    const found = (kind === 'blobs' ? blobs : manifests).get(rest);
    if (kind === undefined || found === undefined) return fault(404, 'UNKNOWN');
    // Large registries hand downloads on to a store.
    if (kind === 'blobs' && method === 'GET')
      return end(307, '', { location: `http://localhost:${(behind.address() as AddressInfo).port}/${rest}` });
    return end(200, found, { 'content-type': 'application/octet-stream' });
  });
  const stored: (string | undefined)[] = [];
  const behind = createServer((request, response) => {
    stored.push(request.headers.authorization);
    response.end(blobs.get((request.url ?? '').slice(1)) ?? '');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  await new Promise<void>((done) => behind.listen(0, 'localhost', done));
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    blobs,
    manifests,
    requests,
    stored,
    async close() {
      for (const each of [server, behind]) await new Promise<void>((done) => each.close(() => done()));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
