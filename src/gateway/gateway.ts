import type { ModelMetadata } from '../oip/index.ts';
import type { Caller, Question, Reply } from './call.ts';

/** What the faces talk to. It never throws for a request: whatever goes wrong is a reply, and is in the log. */
export interface Gateway {
  /** Whether the process serves; false once it drains or cannot record. */
  readonly isReady: () => boolean;
  /** Most bytes of a request's body, after inflating. */
  readonly mostBytes: number;
  /** Most samples of a request. */
  readonly mostSamples: number;
  infer(question: Question): Promise<Reply>;
  /** What the protocol says of a model; a refusal's reply where the caller may not know. Takes the same way as {@link infer}. */
  describe(caller: Caller, model: string, version: string | undefined): Promise<Described>;
  /** Whether a model is ready; the same refusal as {@link describe} otherwise. */
  modelReady(caller: Caller, model: string, version: string | undefined): Promise<Described>;
  /** A request that never became a {@link Question}: it is counted and logged, and gives the reply to send. */
  malformed(caller: Caller, what: Malformed): Promise<Extract<Reply, { kind: 'refusal' }>>;
}

/** A model's description, or why there is none. */
export type Described =
  | { readonly kind: 'description'; readonly metadata: ModelMetadata }
  | Extract<Reply, { kind: 'refusal' }>;

/** Why a request never became a question. */
export interface Malformed {
  readonly refusal: 'malformed' | 'too-large' | 'encoding' | 'unknown' | 'unavailable' | 'failed';
  /** For the log, without anything of the request that could be a secret. */
  readonly because: string;
  readonly model?: string | undefined;
  /** As in `Question`. */
  readonly arrived: number;
}
