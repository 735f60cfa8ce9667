import { elementCount } from '../../../onnx/tensor.ts';
import type { Sighting } from '../../sighting.ts';
import { planSketch } from '../../sketch/sketch-plan.ts';
import { timeOf } from '../csv-line.ts';
import { bucketOf, likeliest, mismatch } from './mapped-line.ts';

/** Types of the events that KServe's and Seldon's payload loggers write, before `request` or `response`. */
const PREFIXES = ['org.kubeflow.serving.inference.', 'io.seldon.serving.inference.'];
const MOST_WAITING = 10_000;
const MOST_SAMPLES = 64;
const MOST_NAME = 256;
/** Arrays in an array that are opened. */
const MOST_DEPTH = 8;

type Loose = Readonly<Record<string, unknown>>;

interface Asked {
  readonly at: number;
  readonly sketch: Sighting['sketch'];
  readonly n: number | undefined;
}

/** Puts requests and their responses together. */
export interface InferenceEvents {
  /** The call that a line completes; undefined where it completes none: a request, or an event of another type. Throws `data/mismatch` for what is no event. */
  read(line: string): Sighting | undefined;
  /** Requests without a response so far, and those that were given up to make room. */
  readonly unanswered: () => number;
}

/**
 * Reads lines that are CloudEvents 1.0 in structured mode, as KServe's payload logger and Seldon's send them (https://kserve.github.io/website/docs/model-serving/predictive-inference/logger): the events of a request and of its response have one
 * `id`, and bodies of the first or second protocol in `data`. Sketches are made of the request's first input, and the likeliest class of the response's first output. Requests wait for their response, 10,000 at most; a response
 * alone is a call, too. `model` is whom events are about that name none. Lines are attacker-controlled.
 */
export function openInferenceEvents(model: string | undefined): InferenceEvents {
  const waiting = new Map<string, Asked>();
  let dropped = 0;
  return {
    read(line) {
      const event = eventIn(line);
      const type = String(event.type);
      const prefix = PREFIXES.find((each) => type.startsWith(each));
      if (prefix === undefined) return undefined;
      const id = textOf(event.id, 'id');
      const at = timeOf(textOf(event.time, 'time'));
      if (!(at >= 0 && at <= 8.64e15)) throw mismatch('expected a time, got another text');
      const body = bodyOf(event);
      if (type === `${prefix}request`) {
        waiting.delete(id);
        waiting.set(id, { at, ...inputOf(body) });
        if (waiting.size > MOST_WAITING) {
          waiting.delete(waiting.keys().next().value!);
          dropped++;
        }
        return undefined;
      }
      if (type !== `${prefix}response`) return undefined;
      const asked = waiting.get(id);
      waiting.delete(id);
      const name = event.inferenceservicename ?? body.model_name ?? model;
      if (name === undefined) throw mismatch('expected the name of a model, got none (--model says it)');
      const top = answersOf(body);
      return {
        id,
        at: asked?.at ?? at,
        principal: undefined,
        tenant: event.namespace === undefined ? undefined : textOf(event.namespace, 'namespace'),
        credential: undefined,
        address: '',
        model: textOf(name, 'a model'),
        version: body.model_version === undefined ? undefined : textOf(body.model_version, 'model_version'),
        digest: undefined,
        n: asked?.n ?? top?.length ?? 1,
        outcome: body.error === undefined ? 'answered' : 'failed',
        guards: [],
        top,
        bucket: asked === undefined ? 0 : bucketOf(Math.max(0, at - asked.at)),
        sketch: asked?.sketch,
      };
    },
    unanswered: () => waiting.size + dropped,
  };
}

function eventIn(line: string): Loose {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    throw mismatch('expected a CloudEvent as JSON, got none');
  }
  if (!isLoose(json) || typeof json.type !== 'string')
    throw mismatch('expected a CloudEvent with a type, got something else');
  return json;
}

/** The body of the request or response: `data`, or `data_base64`. */
function bodyOf(event: Loose): Loose {
  let body = event.data;
  if (typeof event.data_base64 === 'string') body = Buffer.from(event.data_base64, 'base64').toString('utf8');
  if (typeof body === 'string') {
    try {
      body = JSON.parse(body);
    } catch {
      throw mismatch('expected JSON as the data of an event, got another text');
    }
  }
  if (!isLoose(body)) throw mismatch('expected an object as the data of an event, got none');
  return body;
}

/** Sketches of the first input: `inputs` of the second protocol, `instances` of the first. */
function inputOf(body: Loose): Pick<Asked, 'sketch' | 'n'> {
  const none = { sketch: undefined, n: undefined };
  if (Array.isArray(body.instances)) return fromRows(body.instances) ?? { ...none, n: body.instances.length };
  const tensor = firstOf(body.inputs);
  if (tensor === undefined) return none;
  const [n = 1, ...sampleDims] = tensor.shape;
  if (tensor.data === undefined || sampleDims.length === 0) return { ...none, n };
  return sketched(tensor.data, n, sampleDims, tensor.datatype) ?? { ...none, n };
}

function fromRows(rows: readonly unknown[]): Pick<Asked, 'sketch' | 'n'> | undefined {
  const flat = rows.map((row) => (Array.isArray(row) ? (row.flat(MOST_DEPTH) as unknown[]) : [row]));
  const width = flat[0]?.length ?? 0;
  if (width === 0 || flat.some((row) => row.length !== width)) return undefined;
  return sketched(flat.flat(), rows.length, dimsOf(rows[0]), undefined);
}

/** Lengths of nested arrays, from the first of each; what lies deeper than {@link MOST_DEPTH} is no number. */
function dimsOf(sample: unknown): readonly number[] {
  const dims: number[] = [];
  let at = sample;
  while (Array.isArray(at) && dims.length <= MOST_DEPTH) {
    dims.push(at.length);
    at = at[0];
  }
  return dims;
}

/** Rows of the first samples; undefined where the numbers do not fit the shape. */
function sketched(
  data: readonly unknown[],
  n: number,
  dims: readonly number[],
  datatype: string | undefined,
): Pick<Asked, 'sketch' | 'n'> | undefined {
  const sampleDims = dims.length === 0 ? [1] : dims;
  if (n < 1 || sampleDims.some((dim) => dim < 1) || elementCount(sampleDims) * n !== data.length)
    return undefined;
  if (!data.every((value) => typeof value === 'number' || value === null)) return undefined;
  const plan = planSketch({ sampleDims, datatype });
  const rows = Math.min(n, MOST_SAMPLES);
  const width = plan.features.length;
  const values = new Float32Array(rows * width);
  const numbers = data.map((value) => (value === null ? Number.NaN : (value as number)));
  for (let i = 0; i < rows; i++) plan.read(numbers, i * plan.size, values, i * width);
  return { n, sketch: { values, rows, width, samples: Array.from({ length: rows }, (_, i) => i) } };
}

/** The likeliest class of each sample: of scores a row each, or of whole numbers, which are classes. */
function answersOf(body: Loose): Sighting['top'] {
  if (Array.isArray(body.predictions)) return body.predictions.slice(0, MOST_SAMPLES).map(answerOf);
  const tensor = firstOf(body.outputs);
  if (tensor?.data === undefined || tensor.shape.length === 0) return undefined;
  const [n = 1] = tensor.shape;
  const width = tensor.data.length / n;
  if (!(Number.isInteger(width) && width >= 1)) return undefined;
  const rows = Math.min(n, MOST_SAMPLES);
  return Array.from({ length: rows }, (_, i) =>
    answerOf(width === 1 ? tensor.data![i] : tensor.data!.slice(i * width, (i + 1) * width)),
  );
}

function answerOf(value: unknown): readonly [label: number, score: number] {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return [value, Number.NaN];
  // One number that is no class: the score of the second of two.
  if (typeof value === 'number') return value > 0.5 ? [1, value] : [0, 1 - value];
  return likeliest(value);
}

interface JsonTensor {
  readonly shape: readonly number[];
  readonly datatype: string | undefined;
  readonly data: readonly unknown[] | undefined;
}

function firstOf(tensors: unknown): JsonTensor | undefined {
  if (tensors === undefined) return undefined;
  const tensor = Array.isArray(tensors) ? tensors[0] : undefined;
  if (!isLoose(tensor) || !Array.isArray(tensor.shape) || !tensor.shape.every(isSize))
    throw mismatch('expected tensors with a shape, got something else');
  return {
    shape: tensor.shape as number[],
    datatype: typeof tensor.datatype === 'string' ? tensor.datatype : undefined,
    data: Array.isArray(tensor.data) ? (tensor.data.flat(MOST_DEPTH) as unknown[]) : undefined,
  };
}

const isLoose = (value: unknown): value is Loose =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isSize = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0;

function textOf(value: unknown, what: string): string {
  if (typeof value !== 'string' || value === '')
    throw mismatch(`expected ${what} as a text, got something else`);
  return value.slice(0, MOST_NAME);
}
