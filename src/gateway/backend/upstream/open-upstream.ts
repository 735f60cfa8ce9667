import { performance } from 'node:perf_hooks';
import { asGlacisError, GlacisError } from '../../../core/error.ts';
import { randomFrom } from '../../../core/random.ts';
import { type Datatype, isDatatype } from '../../../oip/datatype.ts';
import type { ModelMetadata, TensorMetadata } from '../../../oip/metadata.ts';
import type { Tensor } from '../../../oip/tensor.ts';
import { quoted } from '../../../onnx/problems.ts';
import { elementCount } from '../../../onnx/tensor.ts';
import { Refused } from '../../refusal.ts';
import type { RunOptions } from '../../served-model.ts';
import type { BackendModel } from '../backend-model.ts';
import type { UpstreamConfig } from '../config-schema.ts';
import { type ClassifierChoice, findClassifier } from '../find-classifier.ts';
import type { Port, Ports } from '../ports.ts';
import { probe } from '../probe.ts';
import { checkAnswer } from './check-answer.ts';
import { openCircuit } from './circuit.ts';
import { targetOf, tokenFrom, transportTo } from './reach-upstream.ts';
import { UpstreamFailure } from './transport.ts';
import { turnsFor } from './turns.ts';

/** What {@link openUpstream} is told. */
export interface UpstreamOptions {
  readonly name: string;
  readonly version: string;
  readonly config: UpstreamConfig;
  readonly classifier: ClassifierChoice;
  /** What relative paths start from. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds of a clock that only goes forward; `performance.now` without. */
  readonly clock?: (() => number) | undefined;
}

/** Bytes of an answer beside its numbers, and bytes that a number takes at most in JSON. */
const ENVELOPE = 2 ** 16;
const PER_NUMBER = 48;
/** Wait before a request that was not sent is sent again. */
const RETRY_WAIT = 50;

/**
 * Opens a model on another server: reads its metadata, which must say everything, and asks three questions about random samples to learn what it answers. From then on every
 * answer is held against that metadata. The server may go and come back; it is found again without help.
 * Errors: `endpoint/unavailable`, `endpoint/bad-answer`, `key/unusable`, `option/invalid`.
 */
export async function openUpstream(options: UpstreamOptions): Promise<BackendModel> {
  const { name, version, config, signal = new AbortController().signal } = options;
  const { clock = () => performance.now() } = options;
  const target = targetOf(config.url);
  const token = await tokenFrom(options);
  const transport = await transportTo(target, options, token.current);
  const circuit = openCircuit({
    failures: config.circuit.failures,
    pause: config.circuit.pauseMilliseconds,
    longest: config.circuit.longestMilliseconds,
    clock,
  });
  const turns = turnsFor(config.parallel, config.queue, clock);
  let ports: Ports;
  try {
    const sending = { signal, timeout: config.timeoutMilliseconds, most: config.mostBytes };
    ports = portsFrom(await transport.metadata(sending));
  } catch (thrown) {
    transport.close();
    throw opening(thrown);
  }
  const described = (port: Port): TensorMetadata => ({
    name: port.name,
    datatype: port.datatype,
    shape: port.shape,
  });
  const metadata: ModelMetadata = {
    name,
    versions: [version],
    platform: 'upstream',
    inputs: ports.inputs.map(described),
    outputs: ports.outputs.map(described),
  };
  const rowed = ports.rows === 'any';
  const widths = ports.outputs.map(({ shape }) => (rowed ? shape.slice(1) : shape));
  const sized = ports.outputs.every(({ datatype }, i) => datatype !== 'BYTES' && !widths[i]!.includes(-1));
  const perRow = widths.reduce((sum, dims) => sum + elementCount(dims), 0);
  let questions = 0;

  const ask = async (
    inputs: readonly Tensor[],
    { n, signal, by }: Pick<RunOptions, 'n' | 'signal' | 'by'>,
  ): Promise<readonly Tensor[]> => {
    const id = `${++questions}`;
    const most = sized ? Math.min(config.mostBytes, ENVELOPE + n * perRow * PER_NUMBER) : config.mostBytes;
    const request = {
      id,
      // Nothing of the caller's goes along but the numbers: no parameters, no id.
      inputs: inputs.map(({ name, datatype, shape, data }) => ({ name, datatype, shape, data }) as Tensor),
      outputs: ports.outputs.map((output) => ({ name: output.name, binary: true })),
      binaryOutput: true,
    };
    const response = await transport.infer(request, {
      signal,
      timeout: config.timeoutMilliseconds,
      most,
      traceparent: by?.traceparent,
    });
    return checkAnswer(response, {
      metadata,
      id,
      model: target.model,
      version: target.version,
      n,
      rowed,
      finite: config.finite,
    });
  };
  const persistently = async (inputs: readonly Tensor[], how: RunOptions): Promise<readonly Tensor[]> => {
    for (let again = 0; ; again++) {
      const entered = circuit.enter();
      const start = clock();
      try {
        const outputs = await ask(inputs, how);
        entered.done('good');
        return outputs;
      } catch (thrown) {
        const kind = thrown instanceof UpstreamFailure ? thrown.kind : 'failed';
        // Who leaves after half the time that an answer may take was kept waiting.
        const patient = clock() - start > config.timeoutMilliseconds / 2;
        const nothing = kind === 'rejected' || (kind === 'gone' && !patient);
        entered.done(nothing ? 'neither' : 'bad');
        if (kind !== 'unsent' || again >= config.retries) throw thrown;
        await new Promise((later) => setTimeout(later, RETRY_WAIT * (again + 1)));
      }
    }
  };

  try {
    const tried = await probe(
      ports,
      (inputs, n) => ask(inputs, { n, signal }),
      randomFrom(0, 'warm-up', config.digest),
    );
    const found = findClassifier(ports.inputs, ports.outputs, tried, options.classifier);
    const run = async (inputs: readonly Tensor[], how: RunOptions) => {
      const end = await turns.take(how);
      try {
        return { outputs: await persistently(inputs, how) };
      } catch (thrown) {
        throw refusalFor(thrown);
      } finally {
        end();
      }
    };
    let closing: Promise<void> | undefined;
    return {
      name,
      version,
      digest: config.digest,
      metadata,
      classifier: found,
      notes: tried.because === undefined ? [] : [`it could not be tried: ${tried.because}`],
      run: (inputs, how) =>
        closing
          ? Promise.reject(new Refused('unavailable', 'the model is no longer served'))
          : run(inputs, how),
      runAside: (inputs, how) =>
        turns.open > 0 || closing
          ? Promise.reject(new Refused('unavailable', 'others are asking'))
          : run(inputs, how),
      async recheck() {
        await token.renew();
        try {
          const sending = { signal, timeout: config.timeoutMilliseconds, most: config.mostBytes };
          const now = portsFrom(await transport.metadata(sending));
          return JSON.stringify(now) === JSON.stringify(ports)
            ? {}
            : { stop: 'the upstream describes another model than when it was opened' };
        } catch {
          // Whether it answers is for the circuit to say.
          return {};
        }
      },
      load: () => ({ open: turns.open + turns.waiting, waiting: turns.waiting, circuit: circuit.state }),
      close() {
        closing ??= (async () => {
          while (turns.open + turns.waiting > 0) await new Promise((later) => setTimeout(later, 10));
          transport.close();
        })();
        return closing;
      },
    };
  } catch (thrown) {
    transport.close();
    throw opening(thrown);
  }
}

/** Errors: `endpoint/bad-answer` where something is missing or of a type that nobody knows. */
function portsFrom({ inputs, outputs }: ModelMetadata): Ports {
  const port = ({ name, datatype, shape }: TensorMetadata): Port => {
    if (!isDatatype(datatype))
      throw new GlacisError(
        'endpoint/bad-answer',
        `upstream: ${quoted(name)}: expected a datatype of the protocol, got ${quoted(datatype)}`,
      );
    return { name, datatype: datatype as Datatype, shape, widened: false };
  };
  if (inputs.length === 0 || outputs.length === 0)
    throw new GlacisError(
      'endpoint/bad-answer',
      'upstream: expected metadata with inputs and outputs, got none',
    );
  const all = [...inputs, ...outputs];
  const rows = all.every(({ shape }) => shape[0] === -1) ? 'any' : undefined;
  return { inputs: inputs.map(port), outputs: outputs.map(port), rows };
}

function opening(thrown: unknown): GlacisError {
  if (!(thrown instanceof UpstreamFailure)) return asGlacisError(thrown, 'endpoint/unavailable', 'upstream');
  const code = thrown.kind === 'bad-answer' ? 'endpoint/bad-answer' : 'endpoint/unavailable';
  return new GlacisError(code, `upstream: ${thrown.message}`, { cause: thrown });
}

/** What a caller is told: never anything that the upstream said. */
function refusalFor(thrown: unknown): Refused {
  if (thrown instanceof Refused) return thrown;
  if (!(thrown instanceof UpstreamFailure))
    return new Refused('failed', asGlacisError(thrown, 'endpoint/unavailable', 'upstream').message, {
      cause: thrown,
    });
  const because = `upstream: ${thrown.message}`;
  switch (thrown.kind) {
    case 'timeout':
    case 'gone':
      return new Refused('late', because, { cause: thrown });
    case 'unsent':
    case 'failed':
      return new Refused('unavailable', because, { cause: thrown, retryAfter: 1 });
    case 'rejected':
    case 'bad-answer':
      return new Refused('failed', because, { cause: thrown });
  }
}
