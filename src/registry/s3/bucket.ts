import { createHash } from 'node:crypto';
import { GlacisError } from '../../core/error.ts';
import { attempt, bytesOf, refusal, wordsOf } from '../http-body.ts';
import type { Environment } from '../place.ts';
import { encode, type S3Credentials, signRequest } from './sign-request.ts';

/** A body that can be opened again. */
export interface S3Body {
  open(): AsyncIterable<Uint8Array>;
  readonly size: number;
  readonly sha256: string;
}

/** A part of an S3-compatible bucket: everything below a prefix. */
export interface Bucket {
  /** `s3://BUCKET/PREFIX`, with the endpoint where it is not Amazon's. */
  readonly where: string;
  /** The object's size and tag; `undefined` when it is not there. */
  head(
    key: string,
    signal?: AbortSignal,
  ): Promise<{ readonly size: number; readonly tag: string } | undefined>;
  /** The object; `undefined` when it is not there. */
  get(
    key: string,
    signal?: AbortSignal,
  ): Promise<
    { readonly size: number; readonly tag: string; readonly bytes: AsyncIterable<Uint8Array> } | undefined
  >;
  /**
   * Stores an object. With `if: 'absent'` only when there is none, with `if: { tag }` only when it still is that one; `false` when the
   * condition does not hold.
   */
  put(
    key: string,
    body: S3Body,
    options?: {
      readonly if?: 'absent' | { readonly tag: string };
      readonly signal?: AbortSignal | undefined;
    },
  ): Promise<boolean>;
}

/** From this size on objects are sent in parts: one request takes 5 GiB at most. */
const MULTIPART_FROM = 1 << 30;
const PART_BYTES = 64 << 20;
const MOST_PARTS = 10_000;
const EMPTY = createHash('sha256').digest('hex');

/**
 * Opens `s3://BUCKET/PREFIX`. Address and rights come from the variables that other tools use: `AWS_ACCESS_KEY_ID`,
 * `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION`, `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`.
 * Objects of `from` bytes and more are sent in parts of `part`. Errors: `option/invalid`.
 */
export function openBucket(
  location: string,
  env: Environment,
  now: () => Date,
  { from, part } = { from: MULTIPART_FROM, part: PART_BYTES },
): Bucket {
  const [, bucket = '', path = ''] =
    /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(location) ?? [];
  if (bucket === '' || path.split('/').includes('..'))
    throw new GlacisError('option/invalid', `'${location}': expected s3://BUCKET/PREFIX`);
  const prefix = path.replace(/^\/+|\/+$/g, '');
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  } = env;
  if (!accessKeyId || !secretAccessKey)
    throw new GlacisError(
      'option/invalid',
      `${location}: expected AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to be set`,
    );
  const region = env.AWS_REGION || env.AWS_DEFAULT_REGION || 'us-east-1';
  const endpoint = env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL;
  // Other servers have the bucket in the path; Amazon has it in the host's name.
  const base = endpoint
    ? `${endpoint.replace(/\/+$/, '')}/${bucket}`
    : `https://${bucket}.s3.${region}.amazonaws.com`;
  const credentials: S3Credentials = {
    accessKeyId,
    secretAccessKey,
    sessionToken: sessionToken || undefined,
  };
  const urlOf = (key: string, query: Readonly<Record<string, string>> = {}) => {
    const steps = [prefix, key]
      .filter((part) => part !== '')
      .join('/')
      .split('/')
      .map(encode);
    const url = new URL(`${base}/${steps.join('/')}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return url;
  };
  const where = `s3://${bucket}${prefix ? `/${prefix}` : ''}${endpoint ? ` at ${endpoint}` : ''}`;
  const ask = (
    method: string,
    key: string,
    {
      query,
      headers = {},
      body,
      signal,
    }: {
      query?: Readonly<Record<string, string>>;
      headers?: Readonly<Record<string, string>>;
      body?: S3Body;
      signal?: AbortSignal | undefined;
    } = {},
  ) => {
    const url = urlOf(key, query);
    return attempt({
      url,
      method,
      body,
      signal,
      // Signed anew at each try, because a signature is for some minutes only.
      headers: () =>
        signRequest({ method, url, headers, bodySha256: body?.sha256 ?? EMPTY }, credentials, region, now()),
    });
  };

  const putInParts = async (key: string, body: S3Body, signal?: AbortSignal): Promise<void> => {
    const started = await ask('POST', key, { query: { uploads: '' }, signal });
    const id = tagged(await wordsOf(started), 'UploadId');
    if (!started.ok || id === undefined)
      throw new GlacisError(
        'registry/storage',
        `${where}: expected to start an upload in parts, got ${started.status}`,
      );
    const size = Math.max(part, Math.ceil(body.size / (MOST_PARTS - 1)));
    const tags: string[] = [];
    try {
      for await (const piece of partsOf(body.open(), size)) {
        const answer = await ask('PUT', key, {
          query: { partNumber: String(tags.length + 1), uploadId: id },
          body: bodyOf(piece),
          signal,
        });
        if (!answer.ok) throw await refusal(answer, where);
        await answer.body?.cancel();
        tags.push(answer.headers.get('etag') ?? '');
      }
      const xml = `<CompleteMultipartUpload>${tags.map((tag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${tag.replaceAll('"', '&quot;')}</ETag></Part>`).join('')}</CompleteMultipartUpload>`;
      const done = await ask('POST', key, {
        query: { uploadId: id },
        body: bodyOf(Buffer.from(xml)),
        signal,
      });
      const words = await wordsOf(done);
      // A failure may come with status 200, in the text.
      if (!done.ok || words.includes('<Error>'))
        throw new GlacisError(
          'registry/storage',
          `${where}: expected the parts to become an object, got ${done.status} ${words.slice(0, 200)}`,
        );
    } catch (thrown) {
      await ask('DELETE', key, { query: { uploadId: id } }).catch(() => undefined);
      throw thrown;
    }
  };

  return {
    where,
    async head(key, signal) {
      const answer = await ask('HEAD', key, { signal });
      if (answer.status === 404) return undefined;
      if (!answer.ok) throw await refusal(answer, `${where}/${key}`);
      return { size: Number(answer.headers.get('content-length')), tag: answer.headers.get('etag') ?? '' };
    },
    async get(key, signal) {
      const answer = await ask('GET', key, { signal });
      if (answer.status === 404) {
        await answer.body?.cancel();
        return undefined;
      }
      if (!answer.ok) throw await refusal(answer, `${where}/${key}`);
      return {
        size: Number(answer.headers.get('content-length')),
        tag: answer.headers.get('etag') ?? '',
        bytes: bytesOf(answer, `${where}/${key}`, signal),
      };
    },
    async put(key, body, { if: condition, signal } = {}) {
      if (body.size >= from && condition === undefined) {
        await putInParts(key, body, signal);
        return true;
      }
      const headers: Readonly<Record<string, string>> =
        condition === undefined
          ? {}
          : condition === 'absent'
            ? { 'if-none-match': '*' }
            : { 'if-match': condition.tag };
      const answer = await ask('PUT', key, { headers, body, signal });
      if (condition !== undefined && (answer.status === 412 || answer.status === 409)) {
        await answer.body?.cancel();
        return false;
      }
      if (!answer.ok) throw await refusal(answer, `${where}/${key}`);
      await answer.body?.cancel();
      return true;
    },
  };
}

/** Bytes in memory as a body. */
export function bodyOf(bytes: Uint8Array): S3Body {
  return {
    size: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    async *open() {
      yield bytes;
    },
  };
}

/** Cuts a stream into pieces of `size` bytes; the last has what is left. */
async function* partsOf(source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of source) {
    waiting.push(chunk);
    length += chunk.length;
    if (length < size) continue;
    const all = Buffer.concat(waiting);
    let at = 0;
    for (; all.length - at >= size; at += size) yield all.subarray(at, at + size);
    waiting = [all.subarray(at)];
    length = all.length - at;
  }
  if (length > 0) yield Buffer.concat(waiting);
}

/** The text of an element in a short XML answer. */
function tagged(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]{1,2000})</${name}>`).exec(xml)?.[1];
}
