import { JSON_LENGTH_HEADER } from '../oip/message.ts';
import { decodeModelMetadata } from '../oip/metadata.ts';
import { encodeInferRequest } from '../oip/request.ts';
import { decodeInferResponse } from '../oip/response.ts';
import { type EndpointTransport, METADATA_BYTES } from './endpoint-transport.ts';
import { exchangeOnce } from './http-exchange.ts';

/** The protocol over REST; `where` is the model's address without credentials. */
export function restTransport(where: string, headers: Readonly<Record<string, string>>): EndpointTransport {
  return {
    describe: (signal) =>
      exchangeOnce({ method: 'GET', url: where, headers, maxBytes: METADATA_BYTES }, where, signal),
    metadataOf: ({ body }) => decodeModelMetadata(body, where),
    infer(request, format, maxBytes) {
      const message = encodeInferRequest(request, { binary: format === 'binary' });
      const exchange = {
        method: 'POST',
        url: `${where}/infer`,
        headers: { ...headers, ...message.headers },
        body: message.body,
        maxBytes,
      } as const;
      return (signal) => exchangeOnce(exchange, where, signal);
    },
    answerOf: ({ body, headers: given }) =>
      decodeInferResponse({ body, jsonLength: given.get(JSON_LENGTH_HEADER) }, where),
    isBinary: ({ headers: given }) => given.get(JSON_LENGTH_HEADER) !== null,
    close() {},
  };
}
