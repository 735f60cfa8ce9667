import { SIGN_SHAPE } from '../../data/traffic-signs/render.ts';
import { decodeInferResponse, encodeInferRequest, floatsOf } from '../../oip/index.ts';
import { elementCount } from '../../onnx/tensor.ts';

/** What came back. */
export interface Asked {
  /** Undefined where nothing was answered. */
  readonly scores: Float32Array | undefined;
  /** The message of a refusal. */
  readonly said: string;
  readonly receipt: string | undefined;
}

/** Asks about `n` points, row-major. */
export type Ask = (
  points: Float32Array,
  n: number,
  headers?: Readonly<Record<string, string>>,
) => Promise<Asked>;

/** Asks the model `signs`, or another of the same inputs, behind a REST address, as anybody would. */
export function askSigns(rest: string, key: string, signal: AbortSignal, model = 'signs'): Ask {
  return async (points, n, extra = {}) => {
    const { body, headers } = requestOf(points, n, true);
    const answer = await fetch(`${rest}/v2/models/${model}/infer`, {
      method: 'POST',
      headers: { ...headers, ...extra, authorization: `Bearer ${key}` },
      body,
      signal,
    });
    const bytes = new Uint8Array(await answer.arrayBuffer());
    if (!answer.ok) return { scores: undefined, said: new TextDecoder().decode(bytes), receipt: undefined };
    const jsonLength = answer.headers.get('inference-header-content-length');
    const { outputs, parameters } = decodeInferResponse({ body: bytes, jsonLength }, 'gateway');
    const receipt = parameters?.['glacis-receipt'];
    return {
      scores: floatsOf(outputs[0]!),
      said: '',
      receipt: typeof receipt === 'string' ? receipt : undefined,
    };
  };
}

/** A request about `n` points, row-major. */
export function requestOf(points: Float32Array, n: number, binary: boolean) {
  const size = elementCount(SIGN_SHAPE);
  const data = points.slice(0, n * size);
  return encodeInferRequest(
    { inputs: [{ name: 'input', datatype: 'FP32', shape: [n, ...SIGN_SHAPE], data }], binaryOutput: binary },
    { binary },
  );
}
