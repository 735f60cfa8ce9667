import type { Sighting } from '../../../sighting.ts';
import { isLoose, type Loose } from '../loose.ts';
import { bucketOf } from '../mapped-line.ts';
import { mismatch } from '../mismatch.ts';
import { type InputSamples, openSampleSketcher } from '../tensor-samples.ts';
import { openToldIds } from '../told-ids.ts';
import type { TraceEnd, TraceObject } from './trace-objects.ts';
import { tensorClasses, tensorSamples, traceTensor } from './trace-tensor.ts';

const MOST_NAME = 256;
/** Traces that are put together at once. Triton writes the objects of one trace beside each other. */
const MOST_OPEN = 64;
const NANOSECONDS = 1e6;

/** Calls that a trace completes: undefined for one that is none of its own. */
export type TracedCall = Sighting | undefined;

/** Puts the objects of a trace file together. */
export interface Traces {
  /** What an object completes, which is a trace before it. Errors: `data/mismatch`. */
  read(object: TraceObject): readonly TracedCall[];
  /** What is left at the end of a file; the last trace of one that does not end as a whole is not asked for what it has not. Errors: `data/mismatch`. */
  end(how: TraceEnd): readonly TracedCall[];
}

interface Trace {
  readonly id: number;
  model: string | undefined;
  version: string | undefined;
  isChild: boolean;
  /** Nanoseconds since the machine's start. */
  first: number | undefined;
  started: number | undefined;
  ended: number | undefined;
  input: InputSamples | undefined;
  top: Sighting['top'];
}

/**
 * Calls from the objects of Triton's trace files, of the levels TIMESTAMPS and TENSORS: an object names the model of a trace, or holds a time or a tensor of it (older versions: all in one). Latency is that of the request within the server. Times are since the machine's start (a steady
 * clock): `booted`, milliseconds since 1970, says when that was. `model` is whom traces are about that name none. Models within an ensemble are no calls of their own, nor are requests that Triton refused before it looked for a model.
 * Source: https://github.com/triton-inference-server/server/blob/main/docs/user_guide/trace.md. Objects are attacker-controlled.
 */
export function openTraces(model: string | undefined, booted: number): Traces {
  const open = new Map<number, Trace>();
  const idOf = openToldIds();
  const sketcher = openSampleSketcher();

  const callOf = (trace: Trace): TracedCall => {
    const { id, first, started = first, ended, input, top } = trace;
    if (started === undefined)
      throw mismatch(
        `trace ${id}: expected timestamps, got none: --trace-config level=TIMESTAMPS makes them`,
      );
    if (trace.isChild) return undefined;
    if (trace.model === undefined && trace.started === undefined) return undefined;
    const name = trace.model ?? model;
    if (name === undefined)
      throw mismatch(`trace ${id}: expected the name of a model, got none (--model says it)`);
    const at = booted + started / NANOSECONDS;
    if (!(at >= 0 && at <= 8.64e15)) throw mismatch(`trace ${id}: expected a time, got another number`);
    return {
      id: idOf(`trace ${id}`, at).id,
      at,
      principal: undefined,
      tenant: undefined,
      credential: undefined,
      address: '',
      model: name,
      version: trace.version,
      digest: undefined,
      n: input?.n ?? top?.length ?? 1,
      outcome: 'answered',
      guards: [],
      top,
      bucket: ended === undefined ? 0 : bucketOf(Math.max(0, (ended - started) / NANOSECONDS)),
      sketch: input?.sketch,
    };
  };

  return {
    read({ json, data }) {
      const object = objectIn(json);
      const { id } = object;
      if (!Number.isSafeInteger(id) || (id as number) < 0)
        throw mismatch('expected an object of a trace with an id, got another');
      let trace = open.get(id as number);
      const done: TracedCall[] = [];
      if (trace === undefined) {
        trace = traceOf(id as number);
        open.set(trace.id, trace);
        const [oldest] = open.values();
        if (open.size > MOST_OPEN && open.delete(oldest!.id)) done.push(callOf(oldest!));
      }
      nameIn(object, trace);
      timesIn(object, trace);
      if (object.activity !== undefined) {
        const tensor = traceTensor(object.tensor, data);
        if (object.activity === 'TENSOR_BACKEND_OUTPUT') trace.top ??= tensorClasses(tensor);
        else if (object.activity === 'TENSOR_QUEUE_INPUT' || object.activity === 'TENSOR_BACKEND_INPUT')
          trace.input ??= tensorSamples(tensor, sketcher);
        else throw mismatch('expected an activity such as TENSOR_QUEUE_INPUT, got another');
      }
      return done;
    },
    end(how) {
      const all = [...open.values()];
      open.clear();
      const last = how === 'whole' ? undefined : all.pop();
      // What stands of it counts where it says model and time.
      if (last?.model !== undefined && last.started !== undefined) all.push(last);
      return all.map(callOf);
    },
  };
}

function traceOf(id: number): Trace {
  return {
    ...{ id, model: undefined, version: undefined, isChild: false, first: undefined },
    ...{ started: undefined, ended: undefined, input: undefined, top: undefined },
  };
}

function objectIn(json: Buffer): Loose {
  let object: unknown;
  try {
    object = JSON.parse(json.toString('utf8'));
  } catch {
    throw mismatch('expected an object as JSON, got none (Triton writes texts of callers without escapes)');
  }
  if (!isLoose(object)) throw mismatch('expected an object, got something else');
  return object;
}

function nameIn(object: Loose, trace: Trace): void {
  const { model_name: name, model_version: version, parent_id: parent } = object;
  if (name === undefined) return;
  if (typeof name !== 'string' || name === '')
    throw mismatch('expected model_name as a text, got something else');
  trace.model = name.slice(0, MOST_NAME);
  // −1 is whichever is the latest.
  if (Number.isSafeInteger(version) && (version as number) >= 0) trace.version = String(version);
  trace.isChild = typeof parent === 'number' && parent > 0;
}

function timesIn({ timestamps = [] }: Loose, trace: Trace): void {
  if (!Array.isArray(timestamps)) throw mismatch('expected timestamps as a list, got something else');
  for (const each of timestamps) {
    if (!isLoose(each) || typeof each.name !== 'string' || !isTime(each.ns))
      throw mismatch('expected timestamps with a name and ns, got something else');
    const { name, ns } = each;
    if (trace.first === undefined || ns < trace.first) trace.first = ns;
    if (name === 'REQUEST_START') trace.started = ns;
    if (name === 'REQUEST_END') trace.ended = ns;
  }
}

/** Nanoseconds of some years. */
const isTime = (ns: unknown): ns is number => typeof ns === 'number' && ns >= 0 && ns <= 1e18;
