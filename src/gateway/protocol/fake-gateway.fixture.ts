import type { InferResponse, ModelMetadata } from '../../oip/index.ts';
import type { Caller, Question, Reply } from '../call.ts';
import type { Gateway, Malformed } from '../gateway.ts';
import { REFUSALS, type Refusal } from '../refusal.ts';

/** What reached the gateway, in order. */
export interface Seen {
  readonly questions: Question[];
  readonly malformed: { readonly caller: Caller; readonly what: Malformed }[];
  readonly looked: {
    readonly caller: Caller;
    readonly model: string;
    readonly version: string | undefined;
  }[];
}

/** What the fixture may be told to do otherwise. */
export interface FakeOptions {
  readonly mostBytes?: number;
  /** Waits before each answer, in milliseconds. */
  readonly delay?: number;
  /** Changes the answer to a question. */
  readonly answer?: (question: Question) => Partial<InferResponse>;
  readonly isReady?: () => boolean;
}

/**
 * A gateway for tests of the faces: the model `echo` (versions 1 and 2) gives its inputs back under their names, `late` never answers by
 * itself, `broken` throws; a model named `refuse-X` is refused with X, and any other is unknown.
 */
export function fakeGateway(options: FakeOptions = {}): Gateway & { readonly seen: Seen } {
  const seen: Seen = { questions: [], malformed: [], looked: [] };
  let next = 0;
  const decision = (): string => (next++).toString(16).padStart(32, '0');
  const refusal = (why: Refusal, more: object = {}): Extract<Reply, { kind: 'refusal' }> => ({
    kind: 'refusal',
    refusal: why,
    decision: decision(),
    ...more,
  });
  const versions = ['1', '2'];
  const isEcho = (model: string, version: string | undefined) =>
    model === 'echo' && (version === undefined || versions.includes(version));
  const look = (caller: Caller, model: string, version: string | undefined) => {
    seen.looked.push({ caller, model, version });
    if (!isEcho(model, version)) return refusal('unknown');
    const tensor = { name: 'x', datatype: 'FP32', shape: [-1, 2] };
    const metadata: ModelMetadata = {
      name: model,
      versions,
      platform: 'onnx',
      inputs: [tensor],
      outputs: [tensor],
    };
    return { kind: 'description' as const, metadata };
  };
  return {
    seen,
    isReady: options.isReady ?? (() => true),
    mostBytes: options.mostBytes ?? 1 << 24,
    mostSamples: 1024,
    async infer(question): Promise<Reply> {
      seen.questions.push(question);
      const { model, version, request, wantsReceipt } = question;
      const { id } = request;
      const receipt = wantsReceipt ? { receipt: 'c2sp.org/tlog-proof@v1\nindex 7\n' } : {};
      if (options.delay !== undefined) await new Promise((resolve) => setTimeout(resolve, options.delay));
      if (model === 'broken') throw new Error('/secret/path: boom');
      if (model === 'late') {
        await new Promise((resolve) => question.signal.addEventListener('abort', resolve, { once: true }));
        return refusal('late', { id });
      }
      const named = model.startsWith('refuse-') ? model.slice('refuse-'.length) : '';
      if (Object.hasOwn(REFUSALS, named)) {
        const retry = named === 'throttled' ? { retryAfter: 1.2 } : {};
        return refusal(named as Refusal, { id, ...retry, ...receipt });
      }
      if (!isEcho(model, version)) return refusal('unknown', { id, ...receipt });
      const wanted = request.outputs?.map(({ name }) => name);
      const response: InferResponse = {
        modelName: model,
        modelVersion: version ?? '2',
        ...(id !== undefined && { id }),
        outputs: request.inputs
          .filter(({ name }) => wanted?.includes(name) ?? true)
          .map(({ parameters: _none, ...tensor }) => tensor),
      };
      return {
        kind: 'answer',
        response: { ...response, ...options.answer?.(question) },
        decision: decision(),
        ...receipt,
      };
    },
    describe: async (caller, model, version) => look(caller, model, version),
    modelReady: async (caller, model, version) => look(caller, model, version),
    async malformed(caller, what) {
      seen.malformed.push({ caller, what });
      return refusal(what.refusal);
    },
  };
}
