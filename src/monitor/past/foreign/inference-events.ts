import { GlacisError } from '../../../core/error.ts';
import { checkOutline } from '../../../oip/json-outline.ts';
import type { Sighting } from '../../sighting.ts';
import { timeOf } from '../csv-line.ts';
import { callerOf } from './event-attributes.ts';
import { bodyOf, type EventBody, type Side } from './event-body.ts';
import { answersOf, samplesOf } from './event-samples.ts';
import { isLoose, type Loose } from './loose.ts';
import { bucketOf } from './mapped-line.ts';
import { asMismatch, mismatch } from './mismatch.ts';
import { type InputSamples, openSampleSketcher } from './tensor-samples.ts';
import { openToldIds } from './told-ids.ts';

/** Types of the events that KServe's and Seldon's payload loggers write, before `request` or `response`. */
const PREFIXES = ['org.kubeflow.serving.inference.', 'io.seldon.serving.inference.'];
const MOST_WAITING = 10_000;
const MOST_NAME = 256;
/** Characters of a line beyond which it is looked over before it is parsed. */
const OUTLINED_FROM = 2 ** 20;

/** The attribute that names who called, of the CloudEvents extension Auth Context: https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/authcontext.md */
export const CALLER_ATTRIBUTE = 'authid';

interface Asked {
  readonly at: number;
  readonly principal: string | undefined;
  /** What is wrong with its body, if something is. */
  readonly samples: InputSamples | GlacisError;
}

/** Puts requests and their responses together. */
export interface InferenceEvents {
  /** The call that a line completes; undefined where it completes none: a request, or an event of another type. Throws `data/mismatch` for what is no event. */
  read(line: string): Sighting | undefined;
  /** Requests without a response so far, and those that were given up to make room. */
  readonly unanswered: () => number;
}

/**
 * Reads lines that are CloudEvents 1.0 in structured mode, as KServe's payload logger and Seldon's send them (https://kserve.github.io/website/docs/model-serving/predictive-inference/logger, https://github.com/kserve/kserve/tree/master/pkg/logger): the events of a request and of its
 * response have one `id`, and bodies of the first or second protocol. Sketches are made of the request's first input, and the likeliest class of the response's first output. Requests wait for their response, 10,000 at most; a response
 * alone is a call, too. `model` is whom events are about that name none, `caller` the attribute or kept header that names who called. Lines are attacker-controlled. A request whose body cannot be read counts for nothing as long as nobody answered it: everybody can send one, and loggers
 * write it down before a server refuses it. With an answer it is an error, because then a server could read it.
 */
export function openInferenceEvents(model: string | undefined, caller = CALLER_ATTRIBUTE): InferenceEvents {
  const waiting = openWaiting();
  const idOf = openToldIds();
  const sketcher = openSampleSketcher();
  return {
    read(line) {
      const event = eventIn(line);
      const type = String(event.type);
      const prefix = PREFIXES.find((each) => type.startsWith(each));
      const side = prefix === undefined ? undefined : type.slice(prefix.length);
      if (side !== 'request' && side !== 'response') return undefined;
      const id = textOf(event.id, 'id');
      const at = timeOf(textOf(event.time, 'time'));
      if (!(at >= 0 && at <= 8.64e15)) throw mismatch('expected a time, got another text');
      const principal = callerOf(event, caller);
      if (side === 'request') {
        waiting.add(id, { at, principal, samples: samplesIn(event, (body) => samplesOf(body, sketcher)) });
        return undefined;
      }
      const told = idOf(id, at);
      const asked = told.isAgain ? undefined : waiting.take(id);
      if (asked?.samples instanceof GlacisError)
        throw mismatch(`the request of this response: ${asked.samples.message}`, asked.samples);
      const body = bodyIn(event, side);
      const { json } = body;
      const name = event.inferenceservicename ?? json.model_name ?? model;
      if (name === undefined) throw mismatch('expected the name of a model, got none (--model says it)');
      const top = asMismatch('', () => answersOf(body));
      return {
        id: told.id,
        at: asked?.at ?? at,
        principal: asked?.principal ?? principal,
        tenant: event.namespace === undefined ? undefined : textOf(event.namespace, 'namespace'),
        credential: undefined,
        address: '',
        model: textOf(name, 'a model'),
        version: json.model_version === undefined ? undefined : textOf(json.model_version, 'model_version'),
        digest: undefined,
        n: asked?.samples.n ?? top?.length ?? 1,
        outcome: json.error === undefined ? 'answered' : 'failed',
        guards: [],
        top,
        bucket: asked === undefined ? 0 : bucketOf(Math.max(0, at - asked.at)),
        sketch: asked?.samples.sketch,
      };
    },
    unanswered: waiting.unanswered,
  };
}

/** Requests by their ids. Of several with one id, which only a caller who chooses it has, the latest is taken: those before it may have been refused. */
function openWaiting() {
  const byId = new Map<string, Asked[]>();
  let [count, dropped] = [0, 0];
  const take = (id: string): Asked | undefined => {
    const asked = byId.get(id)?.pop();
    if (asked !== undefined) count--;
    if (byId.get(id)?.length === 0) byId.delete(id);
    return asked;
  };
  return {
    take,
    add(id: string, asked: Asked): void {
      const same = byId.get(id);
      if (same === undefined) byId.set(id, [asked]);
      else same.push(asked);
      if (++count <= MOST_WAITING) return;
      const oldest = byId.keys().next().value!;
      const given = byId.get(oldest)!.length;
      byId.delete(oldest);
      count -= given;
      dropped += given;
    },
    unanswered: () => count + dropped,
  };
}

function eventIn(line: string): Loose {
  if (line.length > OUTLINED_FROM)
    asMismatch('', () => checkOutline(Buffer.from(line), { where: 'an event', code: 'request/invalid' }));
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

/** Errors: `data/mismatch` alone. */
function bodyIn(event: Loose, side: Side): EventBody {
  return asMismatch('', () => bodyOf(event, side));
}

function samplesIn(event: Loose, read: (body: EventBody) => InputSamples): InputSamples | GlacisError {
  try {
    return read(bodyIn(event, 'request'));
  } catch (thrown) {
    if (thrown instanceof GlacisError) return thrown;
    throw thrown;
  }
}

function textOf(value: unknown, what: string): string {
  if (typeof value !== 'string' || value === '')
    throw mismatch(`expected ${what} as a text, got something else`);
  return value.slice(0, MOST_NAME);
}
