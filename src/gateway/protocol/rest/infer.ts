import { JSON_LENGTH_HEADER } from '../../../oip/index.ts';
import type { Malformed } from '../../gateway.ts';
import type { Lease } from '../byte-budget.ts';
import { isNamed } from '../names.ts';
import { askedOf, DECISION, RECEIPT } from '../question.ts';
import type { FaceSurroundings } from '../surroundings.ts';
import { binaryOutputs } from './answer-form.ts';
import type { Exchange } from './exchange.ts';
import { encodingOf, readBody } from './read-body.ts';

/** Why a request never became a question; `gone`: there is nobody to tell. */
type Fault = Pick<Malformed, 'refusal' | 'because'> | 'gone';

const BUSY: Fault = { refusal: 'unavailable', because: 'no room for more requests at once' };
const tooLarge = (because: string): Fault => ({ refusal: 'too-large', because });

/** Takes one question from body to answer. */
export async function infer(
  exchange: Exchange,
  model: string,
  version: string | undefined,
  face: FaceSurroundings,
): Promise<void> {
  const { gateway, inWork, budget } = face;
  const { caller, arrived } = exchange;
  const refuse = async (fault: Fault): Promise<void> => {
    if (fault === 'gone') return;
    exchange.refuse(await gateway.malformed(caller, { ...fault, model, arrived }));
  };
  if (!isNamed(model, version)) {
    const because = 'a name that no model has';
    exchange.refuse(await gateway.malformed(caller, { refusal: 'unknown', because, arrived }));
    return;
  }
  if (!inWork.begin()) return refuse(BUSY);
  const lease = budget.lease(caller.address);
  try {
    const asked = await askedFrom(exchange, face, lease);
    if ('fault' in asked) return await refuse(asked.fault);
    const { request } = asked;
    const reply = await gateway.infer({ ...asked, model, version, caller, arrived, signal: exchange.signal });
    if (reply.kind === 'refusal') {
      exchange.refuse(reply);
      return;
    }
    const { response, decision, receipt } = reply;
    const shown =
      receipt === undefined
        ? response
        : { ...response, parameters: { ...response.parameters, [DECISION]: decision, [RECEIPT]: receipt } };
    const given = face.codec.encode(shown, binaryOutputs(shown, request), caller.address);
    const message = given instanceof Promise ? await given : given;
    const sent = exchange.answer(message, { [DECISION]: decision });
    if (sent) await sent;
  } finally {
    lease.end();
    inWork.end();
  }
}

/** Reads, inflates and decodes a request. */
async function askedFrom(exchange: Exchange, face: FaceSurroundings, lease: Lease) {
  const { gateway, config, inflater, codec } = face;
  const { request: message } = exchange;
  const encoding = encodingOf(message);
  if (encoding === undefined)
    return { fault: { refusal: 'encoding', because: 'the content type or encoding' } as Fault };
  const most = gateway.mostBytes;
  const jsonLength = message.headers[JSON_LENGTH_HEADER] as string | undefined;
  const align = jsonLength === undefined ? 0 : Number(jsonLength) || 0;
  let body = await readBody(message, { most, lease, align });
  if (!(typeof body === 'string') && encoding !== 'identity') {
    const inflated = await inflater.inflate(body, encoding, {
      most,
      lease,
      align,
      address: exchange.caller.address,
    });
    if (inflated === 'malformed')
      return { fault: { refusal: 'malformed', because: `a body that is not ${encoding}` } as Fault };
    body = inflated;
  }
  if (body === 'too-large') return { fault: tooLarge(`a body of more than ${most} bytes`) };
  if (body === 'busy') return { fault: BUSY };
  if (body === 'gone') return { fault: 'gone' as Fault };
  // Attacker-controlled: a length beyond the body is refused by the decoder.
  if (Math.min(align || body.length, body.length) > config.limits.jsonBytes)
    return { fault: tooLarge(`JSON of more than ${config.limits.jsonBytes} bytes`) };
  const bytes = body.length;
  const given = codec.decode(body, jsonLength, exchange.caller.address);
  const decoded = given instanceof Promise ? await given : given;
  if ('refused' in decoded) {
    const fault: Fault = decoded.busy ? BUSY : { refusal: 'malformed', because: decoded.refused };
    return { fault };
  }
  const asked = askedOf(decoded.request, message.headers[RECEIPT] as string | undefined);
  if (typeof asked === 'string') return { fault: { refusal: 'malformed', because: asked } as Fault };
  return { ...asked, bytes };
}
