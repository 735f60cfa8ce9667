import { asGlacisError, GlacisError } from '../../../core/error.ts';
import { JSON_LENGTH_HEADER } from '../../../oip/message.ts';
import { decodeModelMetadata } from '../../../oip/metadata.ts';
import { encodeInferRequest } from '../../../oip/request.ts';
import { decodeInferResponse } from '../../../oip/response.ts';
import type { HttpAnswer, HttpClient } from './http-once.ts';
import { type Sending, type Transport, UpstreamFailure } from './transport.ts';

const SMALL = 2 ** 20;

/**
 * A model behind REST. `path` is that of the model's metadata, as in its address. `format` `auto`: in binary form where the server says that it knows it.
 */
export function restTransport(
  client: HttpClient,
  path: string,
  format: 'auto' | 'binary' | 'json',
  authorization: () => string | undefined,
): Transport {
  const common = ({ traceparent }: Sending): Record<string, string> => {
    const now = authorization();
    return {
      ...(now !== undefined && { authorization: now }),
      ...(traceparent !== undefined && { traceparent }),
    };
  };
  let binary: Promise<boolean> | undefined;
  const get = (at: string, sending: Sending): Promise<HttpAnswer> =>
    client.send(
      { method: 'GET', path: at, headers: common(sending) },
      { ...sending, most: Math.min(sending.most, SMALL) },
    );
  const isBinary = async (sending: Sending): Promise<boolean> => {
    if (format !== 'auto') return format === 'binary';
    const root = path.slice(0, path.indexOf('/v2/models/') + '/v2'.length);
    const { body } = await get(root, sending);
    const said = decoded(() => JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown);
    const extensions = (said as { readonly extensions?: unknown } | null)?.extensions;
    return Array.isArray(extensions) && extensions.includes('binary_tensor_data');
  };
  return {
    async metadata(sending) {
      const { body } = await get(path, sending);
      return decoded(() => decodeModelMetadata(body, 'upstream'));
    },
    async infer(request, sending) {
      binary ??= isBinary(sending).catch((thrown) => {
        binary = undefined;
        throw thrown;
      });
      const inBinary = await binary;
      const message = encoded(() =>
        encodeInferRequest({ ...request, binaryOutput: inBinary }, { binary: inBinary }),
      );
      const { headers, body } = await client.send(
        {
          method: 'POST',
          path: `${path}/infer`,
          headers: { ...common(sending), ...message.headers },
          body: message.body,
        },
        sending,
      );
      // Two lengths come as one text, `12, 12`, which is none.
      const jsonLength = headers[JSON_LENGTH_HEADER];
      return decoded(() => decodeInferResponse({ body, jsonLength }, 'upstream'));
    },
    close: () => client.close(),
  };
}

function decoded<T>(read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    const { message } = asGlacisError(thrown, 'endpoint/bad-answer', 'upstream');
    throw new UpstreamFailure('bad-answer', message, { cause: thrown });
  }
}

/** NaN has no form in JSON: that is the caller's input, and no failure of the server. */
function encoded<T>(write: () => T): T {
  try {
    return write();
  } catch (thrown) {
    if (!(thrown instanceof GlacisError)) throw thrown;
    throw new UpstreamFailure('rejected', thrown.message, { cause: thrown });
  }
}
