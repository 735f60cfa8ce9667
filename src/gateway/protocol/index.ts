/** The public side: REST and gRPC of the Open Inference Protocol v2, in front of a `Gateway`. */
export { type ListenConfig, listenSchema } from './config-schema.ts';
export { isNamed, MODEL_NAME, MODEL_VERSION } from './names.ts';
export { type Faces, openFaces } from './open-faces.ts';
export { DECISION, RECEIPT } from './question.ts';
