import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { asGlacisError, GlacisError } from '../../../core/error.ts';
import type { UpstreamConfig } from '../config-schema.ts';
import { grpcTransport } from './grpc.ts';
import { httpClient, type TlsMaterial } from './http-once.ts';
import { networks } from './networks.ts';
import { restTransport } from './rest.ts';
import type { Transport } from './transport.ts';

/** What the way to an upstream is made from. */
interface Reach {
  readonly config: UpstreamConfig;
  /** What relative paths start from. */
  readonly folder: string;
}

/** The model that an address names. */
interface Target {
  readonly url: URL;
  readonly model: string;
  readonly version: string | undefined;
}

/** Errors: `option/invalid` for an address that names none. */
export function targetOf(address: string): Target {
  const url = URL.parse(address);
  const [, model, version] = /\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?$/.exec(url?.pathname ?? '') ?? [];
  if (!url || model === undefined)
    throw new GlacisError(
      'option/invalid',
      'upstream: expected an address of the form http://HOST/v2/models/NAME',
    );
  try {
    return { url, model: decodeURIComponent(model), version: version && decodeURIComponent(version) };
  } catch (cause) {
    throw new GlacisError('option/invalid', 'upstream: expected an address without broken % sequences', {
      cause,
    });
  }
}

/** The way to a model, over REST or gRPC as its address says. `authorization` gives the header as it is now. Errors: `key/unusable`, `endpoint/unavailable` for an address that is not allowed. */
export async function transportTo(
  { url, model, version }: Target,
  { config, folder }: Reach,
  authorization: () => string | undefined,
): Promise<Transport> {
  const pem = async (file: string | undefined): Promise<Buffer | undefined> =>
    file === undefined
      ? undefined
      : readFile(resolve(folder, file)).catch((thrown) => {
          throw asGlacisError(thrown, 'key/unusable', file);
        });
  const tls: TlsMaterial = {
    ca: await pem(config.ca),
    cert: await pem(config.certificate),
    key: await pem(config.key),
  };
  const allowed = networks(config.networks);
  if (!url.protocol.startsWith('grpc')) {
    const client = httpClient(url, config.parallel, allowed, tls);
    return restTransport(client, url.pathname, config.format, authorization);
  }
  // The URL parser knows no default port of this scheme.
  const secure = url.protocol === 'grpcs:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port === '' ? (secure ? 443 : 8001) : Number(url.port);
  return grpcTransport(
    { host, port, secure, model, version, authorization, most: config.mostBytes },
    allowed,
    tls,
  );
}

/** The token, which its owner may rotate: `renew` reads it again, and keeps the one before where that fails. Errors: `key/unusable`. */
export async function tokenFrom({ config: { tokenFile }, folder }: Reach) {
  const read = async (): Promise<string | undefined> => {
    if (tokenFile === undefined) return undefined;
    const text = await readFile(resolve(folder, tokenFile), 'utf8').catch((thrown) => {
      throw asGlacisError(thrown, 'key/unusable', tokenFile);
    });
    if (!/^[\x21-\x7e]{1,8192}$/.test(text.trim()))
      throw new GlacisError('key/unusable', `${tokenFile}: expected one token of printable characters`);
    return `Bearer ${text.trim()}`;
  };
  let token = await read();
  return {
    current: () => token,
    async renew() {
      token = await read().catch(() => token);
    },
  };
}
