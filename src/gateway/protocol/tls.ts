import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { asGlacisError, GlacisError } from '../../core/error.ts';
import type { TlsConfig } from './config-schema.ts';

/** Options of TLS for a server, from the files that the policy names. */
export interface TlsOptions extends SecureContextOptions {
  readonly requestCert: boolean;
  readonly rejectUnauthorized: boolean;
}

/** Reads certificate, key and authorities. Errors: `option/invalid` where a file cannot be read or does not fit. */
export async function readTls(config: TlsConfig): Promise<TlsOptions> {
  const read = async (key: 'cert' | 'key' | 'clientCa'): Promise<Buffer> => {
    try {
      return await readFile(config[key]!);
    } catch (thrown) {
      throw asGlacisError(thrown, 'option/invalid', `serve.listen.tls.${key}`);
    }
  };
  const options: TlsOptions = {
    cert: await read('cert'),
    key: await read('key'),
    ...(config.clientCa !== undefined && { ca: await read('clientCa') }),
    minVersion: config.minVersion,
    requestCert: config.clientCa !== undefined,
    rejectUnauthorized: config.clientCa !== undefined && config.clientCertificates === 'required',
  };
  try {
    createSecureContext(options);
  } catch (thrown) {
    // Not as a message: OpenSSL's says nothing that helps, and the key is near.
    throw new GlacisError(
      'option/invalid',
      'serve.listen.tls: expected a certificate, its key and authorities in PEM form, got files that are not or do not fit',
      { cause: thrown },
    );
  }
  return options;
}
