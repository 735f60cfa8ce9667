import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { SIGN_SHAPE } from '../../../src/data/traffic-signs/render.ts';

/** What came back of a question to a model. */
export interface Answer {
  readonly status: number;
  /** Seconds, of a refusal that ends. */
  readonly retryAfter: number | undefined;
  /** The words of a refusal. */
  readonly error: string | undefined;
  /** The version that answered, as it says. */
  readonly version: string | undefined;
  /** Empty where nothing was answered. */
  readonly scores: readonly number[];
}

/** How a model is asked. */
export interface Asked {
  /** `signs` unless given. */
  readonly model?: string;
  readonly version?: string;
  /** The client's own address, such as 127.0.0.2. */
  readonly from?: string;
  /** What a request says of its feeds. */
  readonly parameters?: Readonly<Record<string, number | string>>;
}

/** Asks a gateway's model of signs about one picture, as any client would. */
export async function askModel(
  rest: string,
  key: string,
  picture: Float32Array,
  { model = 'signs', version, from, parameters }: Asked = {},
): Promise<Answer> {
  const place = `${model}${version === undefined ? '' : `/versions/${version}`}`;
  const body = JSON.stringify({
    ...(parameters && { parameters }),
    inputs: [{ name: 'input', datatype: 'FP32', shape: [1, ...SIGN_SHAPE], data: [...picture] }],
  });
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const asked = request(
    `${rest}/v2/models/${place}/infer`,
    { method: 'POST', headers, ...(from && { localAddress: from }) },
    (response) => {
      text(response)
        .then((said) => resolve(answerOf(response.statusCode!, response.headers['retry-after'], said)))
        .catch(reject);
    },
  );
  asked.on('error', reject);
  asked.end(body);
  return promise;
}

function answerOf(status: number, wait: string | undefined, text: string): Answer {
  const said = JSON.parse(text) as {
    readonly error?: string;
    readonly model_version?: string;
    readonly outputs?: readonly { readonly data: readonly number[] }[];
  };
  return {
    ...{ status, error: said.error, version: said.model_version },
    retryAfter: wait === undefined ? undefined : Number(wait),
    scores: said.outputs?.[0]?.data ?? [],
  };
}
