import { GlacisError } from '../core/error.ts';
import { errorText } from '../oip/error-body.ts';
import { floatTensor } from '../oip/tensor.ts';
import { endpointAddress } from './endpoint-address.ts';
import { type Answer, answerFrom } from './endpoint-answer.ts';
import { credentialsFrom } from './endpoint-credentials.ts';
import { type EndpointInterface, interfaceFrom } from './endpoint-interface.ts';
import { grpcTransport } from './grpc-transport.ts';
import type { Reply } from './http-exchange.ts';
import { persistentSender, type Traffic } from './persistent-sender.ts';
import type { RemoteSettings, WireFormat } from './remote-options.ts';
import { restTransport } from './rest-transport.ts';

/** An endpoint's model, asked one request at a time. */
export interface EndpointClient {
  /** The address without credentials; begins every message. */
  readonly where: string;
  readonly model: EndpointInterface;
  readonly traffic: Traffic;
  /** The only form that tensors have on the way, where there is no choice. */
  readonly format: WireFormat | undefined;
  /**
   * Sends one request, repeated until there is an answer.
   * Errors: `endpoint/unavailable`, `endpoint/bad-answer` (too many bytes), `data/not-finite`, `run/cancelled`.
   */
  put(question: Question): Promise<Replied>;
  /** Ends connections that are kept. */
  close(): void;
}

/** One request. */
export interface Question {
  /** `[rows, …sampleDims]`, not used any more by the caller. */
  readonly samples: Float32Array<ArrayBuffer>;
  readonly rows: number;
  readonly format: WireFormat;
  /** Most bytes of an answer. */
  readonly maxBytes: number;
  /** Whether a server that does not understand may say so with 500. */
  readonly tentative?: boolean;
  readonly signal: AbortSignal;
}

/** An endpoint's reply to a {@link Question}. */
export interface Replied {
  readonly status: number;
  /** 2xx. */
  readonly good: boolean;
  /** Part of it is in binary form. */
  readonly binary: boolean;
  readonly bytes: number;
  /** What a refusal says, safe to show. */
  readonly said: string;
  /**
   * The answers, checked; of `width` numbers a row, where that is known.
   * Errors: `endpoint/unavailable` for a refusal, `endpoint/bad-answer`, `option/invalid`, `model/unsupported-task`.
   */
  read(width: number | undefined): Answer;
}

/** Finds the model at `address` and how it is asked. Cost: one request. Errors: those of `openRemote`. */
export async function connect(
  address: string,
  settings: RemoteSettings,
  signal: AbortSignal,
): Promise<EndpointClient> {
  const target = endpointAddress(address);
  const where = target.url;
  const fallback = process.env.GLACIS_ENDPOINT_TOKEN;
  const { headers, secrets } = credentialsFrom(target, settings.headers, settings.token, fallback);
  if (target.exposed && secrets.length > 0)
    settings.say(`${where}: the credentials go over a connection without encryption`);
  const traffic: Traffic = { requests: 0, repeated: 0, rows: 0, answered: 0 };
  const sender = persistentSender({ ...settings, where, secrets, traffic });

  const refusal = ({ status, name, body }: Reply): GlacisError => {
    const said = errorText(body, secrets);
    return new GlacisError(
      'endpoint/unavailable',
      `${where}: expected an answer, got status ${name ?? status}${said && ` (${said})`}${HINTS[status] ?? ''}; ${traffic.answered} samples had been answered`,
    );
  };
  if (target.grpc && settings.format === 'json')
    throw new GlacisError('option/invalid', `${where}: expected the format binary or auto, got json`);
  const transport = target.grpc ? grpcTransport(target.grpc, where, headers) : restTransport(where, headers);
  let questions = 0;

  try {
    const described = await sender.send(transport.describe, signal);
    if (!isGood(described)) throw refusal(described);
    const model = interfaceFrom(transport.metadataOf(described), settings, where);
    return {
      where,
      model,
      traffic,
      format: transport.format,
      async put({ samples, rows, format, maxBytes, tentative = false, signal }) {
        const id = `${++questions}`;
        const binary = format === 'binary';
        const request = {
          id,
          inputs: [floatTensor(model.input, model.datatype, [rows, ...model.sampleDims], samples)],
          ...(model.output !== undefined && { outputs: [{ name: model.output, binary }] }),
          binaryOutput: binary,
        };
        const reply = await sender.send(transport.infer(request, format, maxBytes), signal, {
          rows,
          tentative,
        });
        return {
          status: reply.status,
          good: isGood(reply),
          binary: transport.isBinary(reply),
          bytes: reply.body.length,
          said: errorText(reply.body, secrets),
          read(width) {
            if (!isGood(reply)) throw refusal(reply);
            const expected = { output: model.output, rows, width, labels: settings.labels, id };
            return answerFrom(transport.answerOf(reply), expected, where);
          },
        };
      },
      close: () => transport.close(),
    };
  } catch (thrown) {
    transport.close();
    throw thrown;
  }
}

const HINTS: Readonly<Record<number, string>> = {
  401: '; the token belongs into GLACIS_ENDPOINT_TOKEN',
  403: '; the token belongs into GLACIS_ENDPOINT_TOKEN',
  404: '; there is no such model',
};

function isGood({ status }: Reply): boolean {
  return status >= 200 && status < 300;
}
