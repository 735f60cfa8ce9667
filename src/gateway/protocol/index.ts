/** The public side: REST and gRPC of the Open Inference Protocol v2, in front of a `Gateway`. */
export { listenSchema } from './config-schema.ts';
export { openFaces } from './open-faces.ts';
