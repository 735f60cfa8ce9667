import { GlacisError } from '../../core/error.ts';
import type { Rng } from '../../core/random.ts';
import { adaptDataset, openDataset } from '../../data/index.ts';
import { encodeInferRequest } from '../../oip/request.ts';
import { floatTensor } from '../../oip/tensor.ts';
import { elementCount } from '../../onnx/tensor.ts';
import type { EndpointInterface } from '../../runtime/endpoint-interface.ts';

/** A request that is ready to send. */
export interface PreparedQuery {
  readonly url: string;
  /** Credentials among them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** What the queries of a class hold. */
export type QueryContent =
  | { readonly kind: 'zeros' }
  | { readonly kind: 'random' }
  | { readonly kind: 'data'; readonly path: string }
  | { readonly kind: 'same'; readonly path: string };

/** Bytes of samples of a class that are kept ready. */
const MOST_BYTES = 256 * 2 ** 20;

/** Reads `zeros`, `random`, `same:DATA` or `data:DATA`. Errors: `option/invalid`. */
export function contentFrom(text: string): QueryContent {
  if (text === 'zeros' || text === 'random') return { kind: text };
  const [, kind, path] = /^(data|same):(.+)$/s.exec(text) ?? [];
  if (kind === 'data' || kind === 'same') return { kind, path: path! };
  throw new GlacisError(
    'option/invalid',
    `queries: expected zeros, random, data:DATA or same:DATA, got '${text.slice(0, 60)}'`,
  );
}

/**
 * The bodies of a class: `most` different samples of a data set (fewer where it has no more, or where they would take 256 MiB), one of them always, as much uniform noise from 0 to 1, or
 * zeros. Every body of a class has the same form, so only what is in it differs. Errors: those of reading data; `option/invalid` for a model with a fixed batch other than 1.
 */
export async function prepareQueries(
  content: QueryContent,
  target: {
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly model: EndpointInterface;
  },
  {
    rng,
    signal,
    range,
    most,
  }: {
    readonly most: number;
    readonly rng: Rng;
    readonly signal: AbortSignal;
    readonly range?: readonly [number, number] | undefined;
  },
): Promise<readonly PreparedQuery[]> {
  const { url, headers, model } = target;
  const { input, datatype, sampleDims, fixedBatch = 1 } = model;
  if (fixedBatch !== 1)
    throw new GlacisError(
      'option/invalid',
      `queries: expected a model that takes one sample, got a batch of ${fixedBatch}`,
    );
  const size = elementCount(sampleDims);
  const bodies = Math.max(1, Math.min(most, Math.floor(MOST_BYTES / (4 * size))));
  const samples = await samplesOf();
  return samples.map((sample) => {
    const message = encodeInferRequest(
      { inputs: [floatTensor(input, datatype, [1, ...sampleDims], sample)], binaryOutput: false },
      { binary: true },
    );
    return { url: `${url}/infer`, headers: { ...headers, ...message.headers }, body: message.body };
  });

  async function samplesOf(): Promise<readonly Float32Array<ArrayBuffer>[]> {
    if (content.kind === 'zeros') return [new Float32Array(size)];
    if (content.kind === 'random')
      return Array.from({ length: bodies }, () => Float32Array.from({ length: size }, () => rng.uniform()));
    const dataset = await openDataset(content.path, { signal });
    try {
      const adapted = await adaptDataset(
        dataset,
        { name: input, dims: [-1, ...sampleDims], dtype: 'float32' },
        {
          n: Math.min(dataset.n, content.kind === 'same' ? 1 : bodies),
          ...(range && { range }),
          ...(content.kind === 'data' && { shuffle: rng.integer(2 ** 31) }),
        },
        signal,
      );
      const { x } = await adapted.read(0, adapted.n, signal);
      return Array.from({ length: adapted.n }, (_, i) => x.slice(i * size, (i + 1) * size));
    } finally {
      await dataset.close();
    }
  }
}
