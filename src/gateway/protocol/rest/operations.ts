/**
 * Everything that the REST face does: routes, OpenAPI document and its page are made from this list, and whatever is not on it does
 * not exist. Source: https://github.com/kserve/open-inference-protocol (specification/protocol/open_inference_rest.yaml).
 */
export const OPERATIONS = [
  {
    id: 'live',
    method: 'GET',
    path: '/v2/health/live',
    summary: 'Whether the process runs.',
    answer: 'Live',
  },
  {
    id: 'ready',
    method: 'GET',
    path: '/v2/health/ready',
    summary: 'Whether it serves: 503 while it drains or cannot write its log.',
    answer: 'Ready',
  },
  {
    id: 'server',
    method: 'GET',
    path: '/v2',
    summary: 'What this server is, and which extensions of the protocol it has.',
    answer: 'ServerMetadata',
  },
  {
    id: 'model',
    method: 'GET',
    path: '/v2/models/{model}',
    summary: 'Inputs and outputs of a model.',
    answer: 'ModelMetadata',
  },
  {
    id: 'modelVersion',
    method: 'GET',
    path: '/v2/models/{model}/versions/{version}',
    summary: 'Inputs and outputs of a version of a model.',
    answer: 'ModelMetadata',
  },
  {
    id: 'modelReady',
    method: 'GET',
    path: '/v2/models/{model}/ready',
    summary: 'Whether a model answers.',
    answer: 'ModelReady',
  },
  {
    id: 'modelVersionReady',
    method: 'GET',
    path: '/v2/models/{model}/versions/{version}/ready',
    summary: 'Whether a version of a model answers.',
    answer: 'ModelReady',
  },
  {
    id: 'infer',
    method: 'POST',
    path: '/v2/models/{model}/infer',
    summary: 'Asks a model.',
    answer: 'InferResponse',
  },
  {
    id: 'inferVersion',
    method: 'POST',
    path: '/v2/models/{model}/versions/{version}/infer',
    summary: 'Asks a version of a model.',
    answer: 'InferResponse',
  },
  {
    id: 'openapi',
    method: 'GET',
    path: '/v2/openapi.json',
    summary: 'This description.',
    answer: 'OpenApi',
  },
  {
    id: 'docs',
    method: 'GET',
    path: '/v2/docs',
    summary: 'This description as a page.',
    answer: 'Page',
  },
] as const;

/** One of {@link OPERATIONS}. */
export type RestOperation = (typeof OPERATIONS)[number];
