import { throwIfCancelled } from '../core/cancel.ts';
import { GlacisError } from '../core/error.ts';
import { elementCount } from '../onnx/tensor.ts';
import { connect, type EndpointClient, type Replied } from './endpoint-client.ts';
import type { Oracle } from './oracle.ts';
import type { Traffic } from './persistent-sender.ts';
import {
  type RemoteOptions,
  type RemoteSettings,
  remoteSettings,
  type WireFormat,
} from './remote-options.ts';
import { slots } from './slots.ts';

/** A model behind an endpoint of the Open Inference Protocol. */
export interface RemoteOracle extends Oracle {
  /** The address without credentials. */
  readonly url: string;
  /** The input that is sent, and the output that is read. */
  readonly input: string;
  readonly output: string;
  readonly format: WireFormat;
  /** The model takes exactly `batch` samples at once: smaller questions are filled up. */
  readonly fixedBatch: boolean;
  /** What went over the wire so far. */
  readonly traffic: Readonly<Traffic>;
}

/** Bytes of an answer beside its numbers: names, parameters, blanks. */
const ENVELOPE_BYTES = 2 ** 16;
/** A float64 in JSON has at most 24 characters; the rest is for commas and indentation. */
const BYTES_PER_NUMBER = 48;
/** The first answer, while nothing is known of its size: 64 samples of 20,000 classes in JSON. */
const FIRST_ANSWER_BYTES = 2 ** 26;
const USUAL_BATCH = 64;
/** Numbers in one request unless `batch` says otherwise: 16 MiB in binary form. */
const USUAL_NUMBERS = 2 ** 22;

/**
 * Opens the model at `address`, `http(s)` or `grpc(s)://[USER:PASSWORD@]HOST[:PORT]/v2/models/NAME[/versions/VERSION]`: reads its metadata and asks
 * once (a sample of zeros, or `example`) to learn the format, the output and the number of classes. Every answer is checked.
 *
 * A request without an answer (network, timeout, 408, 425, 429, 5xx, or what stands for these in gRPC) is repeated with growing waits, or after the wait that the endpoint
 * asks for. A batch that is refused as too large (413; 400 or 422 that name the batch) is halved, and the smaller size kept.
 * Redirects to another host are not followed. Cost: two or three requests.
 *
 * Errors: `option/invalid`, `option/unknown`, `model/unsupported-task`, `model/dynamic-shape`, `data/mismatch`,
 * `endpoint/unavailable`, `endpoint/bad-answer`, `run/cancelled`. Messages name the address without credentials.
 *
 * @example
 * const oracle = await openRemote('http://localhost:8000/v2/models/mnist', { parallel: 8 });
 * const scores = await oracle.ask(samples, 64); // Float32Array [64, oracle.classes]
 */
export async function openRemote(address: string, options: RemoteOptions = {}): Promise<RemoteOracle> {
  const settings = remoteSettings(options);
  const { parallel, say } = settings;
  const closing = new AbortController();
  const alive = (signals: readonly (AbortSignal | undefined)[]): AbortSignal =>
    AbortSignal.any([closing.signal, ...signals.filter((signal) => signal !== undefined)]);

  const client = await connect(address, settings, alive([settings.signal]));
  const { where, model, traffic } = client;
  const { sampleDims, fixedBatch } = model;
  const size = elementCount(sampleDims);
  const { format, output, classes, bytesPerRow } = await opening(
    client,
    settings,
    alive([settings.signal]),
  ).catch((thrown: unknown) => {
    client.close();
    throw thrown;
  });
  const width = settings.labels === undefined ? classes : 1;
  const batch =
    fixedBatch ?? settings.batch ?? Math.max(1, Math.min(USUAL_BATCH, Math.floor(USUAL_NUMBERS / size)));
  const answerBytesPerRow = Math.max(BYTES_PER_NUMBER * width, 2 * bytesPerRow);
  const turn = slots(parallel);
  let most = batch;

  /** The answers to `n` samples in one request, or `undefined` where the endpoint wants smaller ones. */
  const askOnce = async (points: Float32Array, n: number, signal: AbortSignal) => {
    throwIfCancelled(signal, where);
    // Another request has learnt of it in the meantime.
    if (n > most) return undefined;
    const rows = fixedBatch ?? n;
    const samples = new Float32Array(rows * size);
    samples.set(points);
    // Copies of the last sample and not zeros, which a model may never have seen.
    for (let row = n; row < rows; row++) samples.copyWithin(row * size, (n - 1) * size, n * size);
    const maxBytes = ENVELOPE_BYTES + Math.ceil(rows * answerBytesPerRow);
    const replied = await client.put({ samples, rows, format, maxBytes, signal });
    if (n > 1 && fixedBatch === undefined && isTooLarge(replied)) {
      if (n <= most) {
        most = Math.floor(n / 2);
        say(`${where}: ${n} samples are too many for one request; goes on with ${most}`);
      }
      return undefined;
    }
    const { values } = replied.read(width);
    traffic.answered += n;
    return values.subarray(0, n * classes);
  };

  return {
    url: where,
    sampleDims,
    classes,
    batch,
    parallel,
    input: model.input,
    output,
    format,
    fixedBatch: fixedBatch !== undefined,
    traffic,
    async ask(points, n, signal) {
      if (!Number.isSafeInteger(n) || n < 0 || points.length < n * size)
        throw new GlacisError(
          'data/mismatch',
          `${where}: expected ${n} samples of [${sampleDims.join(', ')}], got ${points.length} numbers`,
        );
      const answers = new Float32Array(n * classes);
      const failed = new AbortController();
      const within = alive([failed.signal, signal]);
      const part = async (from: number, count: number): Promise<void> => {
        const step = most;
        if (count > step) {
          const starts = Array.from({ length: Math.ceil(count / step) }, (_, i) => i * step);
          await Promise.all(starts.map((start) => part(from + start, Math.min(step, count - start))));
          return;
        }
        const rows = points.subarray(from * size, (from + count) * size);
        const values = await turn(() => askOnce(rows, count, within));
        if (values) answers.set(values, from * classes);
        else await part(from, count);
      };
      try {
        if (n > 0) await part(0, n);
      } catch (error) {
        // Nobody waits for the other parts any more.
        failed.abort();
        throw error;
      }
      return answers;
    },
    async close() {
      closing.abort(new GlacisError('run/cancelled', `${where}: closed`));
      client.close();
    },
  };
}

/** The format that the server speaks, and what its first answer shows. */
async function opening(client: EndpointClient, settings: RemoteSettings, signal: AbortSignal) {
  const { where, model } = client;
  const { sampleDims, fixedBatch, datatype } = model;
  const rows = fixedBatch ?? 1;
  const size = elementCount(sampleDims);
  const example = settings.example ?? new Float32Array(size);
  if (example.length !== size)
    throw new GlacisError(
      'data/mismatch',
      `${where}: expected an example of [${sampleDims.join(', ')}], got ${example.length} numbers`,
    );
  const ask = (format: WireFormat, tentative: boolean): Promise<Replied> => {
    const samples = new Float32Array(rows * size);
    for (let row = 0; row < rows; row++) samples.set(example, row * size);
    return client.put({ samples, rows, format, maxBytes: FIRST_ANSWER_BYTES, tentative, signal });
  };
  const found = (format: WireFormat, replied: Replied) => {
    const { output, classes } = replied.read(undefined);
    return { format, output, classes, bytesPerRow: replied.bytes / rows };
  };
  const chosen = settings.format === 'auto' ? client.format : settings.format;
  if (chosen) return found(chosen, await ask(chosen, false));
  // 16-bit floats have no form in JSON.
  if (datatype === 'FP16' || datatype === 'BF16') return found('binary', await ask('binary', false));
  const replied = await ask('binary', true);
  // A good answer in JSON does not show that the binary input was understood: it is asked again.
  if (replied.good ? replied.binary : !isMisunderstood(replied)) return found('binary', replied);
  return found('json', await ask('json', false));
}

/** What servers say to a binary body that they do not know. */
function isMisunderstood({ status }: Replied): boolean {
  return [400, 406, 415, 422, 500, 501].includes(status);
}

function isTooLarge({ status, said }: Replied): boolean {
  if (status === 413) return true;
  return (status === 400 || status === 422) && /\bbatch|too (?:large|big|many)|exceed/i.test(said);
}
