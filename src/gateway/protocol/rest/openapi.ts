import { ATTRIBUTION_METHODS } from '../../../explain/attributions.ts';
import { DATATYPES } from '../../../oip/index.ts';
import { DETAILS } from '../../detail.ts';
import { EXPLANATION } from '../../explanation.ts';
import { REFUSALS } from '../../refusal.ts';
import { DECISION, RECEIPT } from '../question.ts';
import { OPERATIONS, type RestOperation } from './operations.ts';

type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json };

const text = { type: 'string' } as const;
const whole = { type: 'integer' } as const;
const list = (items: Json): Json => ({ type: 'array', items });
const object = (properties: Readonly<Record<string, Json>>, required: readonly string[]): Json => ({
  type: 'object',
  properties,
  required,
});
const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

const SCHEMAS: Readonly<Record<string, Json>> = {
  Live: object({ live: { type: 'boolean' } }, ['live']),
  Ready: object({ ready: { type: 'boolean' } }, ['ready']),
  ServerMetadata: object({ name: text, version: text, extensions: list(text) }, [
    'name',
    'version',
    'extensions',
  ]),
  ModelMetadata: object(
    {
      name: text,
      versions: list(text),
      platform: text,
      inputs: list(ref('TensorMetadata')),
      outputs: list(ref('TensorMetadata')),
    },
    ['name', 'platform', 'inputs', 'outputs'],
  ),
  ModelReady: object({ name: text, ready: { type: 'boolean' } }, ['name', 'ready']),
  TensorMetadata: object(
    { name: text, datatype: ref('Datatype'), shape: list({ type: 'integer', minimum: -1 }) },
    ['name', 'datatype', 'shape'],
  ),
  Datatype: { type: 'string', enum: DATATYPES },
  Parameters: {
    type: 'object',
    additionalProperties: { oneOf: [text, { type: 'number' }, { type: 'boolean' }] },
  },
  RequestParameters: {
    type: 'object',
    description: 'What the gateway itself takes; any other may be there.',
    properties: {
      detail: {
        type: 'string',
        enum: DETAILS,
        description: 'The most that the answer should tell. It only lowers what the caller may know.',
      },
      [RECEIPT]: {
        type: 'boolean',
        description: 'Whether the answer should hold a proof that the decision is in the log.',
      },
      [EXPLANATION]: {
        type: 'string',
        enum: ATTRIBUTION_METHODS,
        description: `Asks for one more output, ${EXPLANATION}, of the main input’s shape: how much each element speaks for the class that is answered. It takes the right to explanations, counts as many queries, and is refused like an unknown model where there is none.`,
      },
      binary_data_output: { type: 'boolean', description: 'Whether outputs should come in binary form.' },
    },
    additionalProperties: { oneOf: [text, { type: 'number' }, { type: 'boolean' }] },
  },
  Tensor: object(
    {
      name: text,
      datatype: ref('Datatype'),
      shape: list({ type: 'integer', minimum: 0 }),
      parameters: ref('Parameters'),
      data: {
        description:
          'Elements, flat in row-major order or nested as the shape is. Absent where the parameter binary_data_size says how many bytes after the JSON belong to this tensor.',
        type: 'array',
        items: {},
      },
    },
    ['name', 'datatype', 'shape'],
  ),
  InferRequest: object(
    {
      id: text,
      parameters: ref('RequestParameters'),
      inputs: list(ref('Tensor')),
      outputs: list(object({ name: text, parameters: ref('Parameters') }, ['name'])),
    },
    ['inputs'],
  ),
  InferResponse: object(
    {
      model_name: text,
      model_version: text,
      id: text,
      parameters: ref('Parameters'),
      outputs: list(ref('Tensor')),
    },
    ['model_name', 'outputs'],
  ),
  Error: object(
    { error: { type: 'string', enum: Object.values(REFUSALS).map(({ message }) => message) }, id: text },
    ['error'],
  ),
};

const INFER_HEADERS: readonly Json[] = [
  {
    name: 'inference-header-content-length',
    in: 'header',
    description: 'Bytes of JSON in the body; tensors in binary form follow.',
    schema: whole,
  },
  {
    name: RECEIPT,
    in: 'header',
    description: `1: the answer’s parameter ${RECEIPT} proves that the decision is in the log.`,
    schema: { type: 'string', enum: ['0', '1', 'false', 'true'] },
  },
];

/** The OpenAPI 3.1 document of the REST face, as plain data. */
export const OPENAPI = {
  openapi: '3.1.0',
  info: {
    title: 'Glacis',
    version: '2',
    description: 'The Open Inference Protocol v2, and nothing beside it.',
  },
  security: [{ bearer: [] }],
  paths: Object.fromEntries(
    OPERATIONS.map((operation) => [operation.path, { [operation.method.toLowerCase()]: pathOf(operation) }]),
  ),
  components: {
    securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
    schemas: SCHEMAS,
  },
} satisfies Json;

function pathOf({ id, path, summary, answer }: RestOperation): Json {
  const infers = answer === 'InferResponse';
  const isPage = answer === 'Page';
  const isOpen = !path.includes('{');
  return {
    operationId: id,
    summary,
    ...(isOpen && { security: [] }),
    parameters: [
      ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
        name: name!,
        in: 'path',
        required: true,
        schema: text,
      })),
      ...(infers ? INFER_HEADERS : []),
    ],
    ...(infers && {
      requestBody: {
        required: true,
        content: {
          'application/json': { schema: ref('InferRequest') },
          'application/octet-stream': {
            schema: {
              description: 'JSON, then the tensors in binary form',
              type: 'string',
              format: 'binary',
            },
          },
        },
      },
    }),
    responses: {
      '200': {
        description: 'The answer.',
        ...(infers && { headers: { [DECISION]: { schema: text } } }),
        content: isPage
          ? { 'text/html': { schema: text } }
          : {
              'application/json': { schema: answer === 'OpenApi' ? { type: 'object' } : ref(answer) },
              ...(infers && { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } }),
            },
      },
      ...(id === 'ready' && { '503': { description: 'It does not serve.' } }),
      ...(!isOpen && {
        default: {
          description: 'A refusal, with one of a fixed list of messages.',
          headers: { [DECISION]: { schema: text }, 'retry-after': { schema: whole } },
          content: { 'application/json': { schema: ref('Error') } },
        },
      }),
    },
  };
}
