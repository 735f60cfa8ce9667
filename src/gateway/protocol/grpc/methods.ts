import {
  decodeGrpcEmpty,
  decodeGrpcInferRequest,
  decodeGrpcModel,
  encodeGrpcInferResponse,
  encodeGrpcModelMetadata,
  encodeGrpcServerMetadata,
  encodeGrpcYes,
  GRPC_METHODS,
} from '../../../oip/index.ts';
import type { Reply } from '../../call.ts';
import type { Described } from '../../gateway.ts';
import { isNamed } from '../names.ts';
import { askedOf, DECISION, RECEIPT } from '../question.ts';
import { SERVER } from '../server-metadata.ts';
import type { FaceSurroundings } from '../surroundings.ts';
import type { Call } from './call.ts';

/** What a method gives: the answer in pieces, or a refusal. */
export type Outcome =
  | { readonly message: readonly Uint8Array[]; readonly decision?: string }
  | Extract<Reply, { kind: 'refusal' }>;

/** A method: takes the bytes of its message. Errors: `request/invalid` where they are none. */
export type Method = (call: Call, message: Uint8Array, face: FaceSurroundings) => Promise<Outcome> | Outcome;

async function look(
  call: Call,
  message: Uint8Array,
  { gateway }: FaceSurroundings,
  ask: (model: string, version: string | undefined) => Promise<Described>,
  show: (described: Extract<Described, { kind: 'description' }>) => readonly Uint8Array[],
): Promise<Outcome> {
  const { model, version } = decodeGrpcModel(message);
  if (!isNamed(model, version))
    return gateway.malformed(call.caller, {
      refusal: 'unknown',
      because: 'a name that no model has',
      arrived: call.arrived,
    });
  const described = await ask(model, version);
  return described.kind === 'refusal' ? described : { message: show(described) };
}

async function infer(call: Call, message: Uint8Array, { gateway }: FaceSurroundings): Promise<Outcome> {
  const { caller, arrived, signal } = call;
  const { model, version, request } = decodeGrpcInferRequest(message);
  if (!isNamed(model, version))
    return gateway.malformed(caller, { refusal: 'unknown', because: 'a name that no model has', arrived });
  const asked = askedOf(request, call.headers[RECEIPT] as string | undefined);
  if (typeof asked === 'string')
    return gateway.malformed(caller, { refusal: 'malformed', because: asked, model, arrived });
  const reply = await gateway.infer({
    ...asked,
    model,
    version,
    caller,
    arrived,
    bytes: message.length,
    signal,
  });
  if (reply.kind === 'refusal') return reply;
  const { response, decision, receipt } = reply;
  const shown =
    receipt === undefined
      ? response
      : { ...response, parameters: { ...response.parameters, [DECISION]: decision, [RECEIPT]: receipt } };
  return { message: encodeGrpcInferResponse(shown), decision };
}

/** The methods by path: whatever is not here does not exist. */
export const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  [
    GRPC_METHODS.ServerLive,
    (_call, message) => {
      decodeGrpcEmpty(message);
      return { message: encodeGrpcYes(true) };
    },
  ],
  [
    GRPC_METHODS.ServerReady,
    (_call, message, { gateway }) => {
      decodeGrpcEmpty(message);
      return { message: encodeGrpcYes(gateway.isReady()) };
    },
  ],
  [
    GRPC_METHODS.ServerMetadata,
    (_call, message) => {
      decodeGrpcEmpty(message);
      return { message: encodeGrpcServerMetadata(SERVER) };
    },
  ],
  [
    GRPC_METHODS.ModelReady,
    (call, message, face) =>
      look(
        call,
        message,
        face,
        (model, version) => face.gateway.modelReady(call.caller, model, version),
        () => encodeGrpcYes(true),
      ),
  ],
  [
    GRPC_METHODS.ModelMetadata,
    (call, message, face) =>
      look(
        call,
        message,
        face,
        (model, version) => face.gateway.describe(call.caller, model, version),
        ({ metadata }) => encodeGrpcModelMetadata(metadata),
      ),
  ],
  [GRPC_METHODS.ModelInfer, infer],
]);
