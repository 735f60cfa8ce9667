import { ATTRIBUTION_METHODS, type AttributionMethod } from '../../explain/attributions.ts';
import type { InferRequest, Parameters, Tensor } from '../../oip/index.ts';
import { quoted } from '../../onnx/problems.ts';
import { EXPLANATION } from '../explanation.ts';

/** Header, metadata entry and parameter by which a caller asks for a receipt, and parameter in which it comes. */
export const RECEIPT = 'glacis-receipt';
/** Header, metadata entry and parameter that say the decision's id. */
export const DECISION = 'glacis-decision';

/** A request without what is meant for the face itself. */
export interface Asked {
  readonly request: InferRequest;
  readonly wantsReceipt: boolean;
  readonly explanation?: AttributionMethod;
}

/**
 * Takes the wishes for a receipt and for an explanation out of a request; `header` is the header or metadata entry. A string where it is refused: a wish that is
 * neither yes nor no or no method that there is, or a tensor in shared memory, which no caller may name to this or to any server behind it.
 */
export function askedOf(request: InferRequest, header: string | undefined): Asked | string {
  for (const { name, parameters } of [...request.inputs, ...(request.outputs ?? [])] as readonly Named[])
    for (const key in parameters)
      if (key.startsWith('shared_memory_')) return `tensor ${quoted(name)}: ${quoted(key)}`;
  const { parameters } = request;
  const inHeader = header === undefined ? false : wishOf(header);
  if (inHeader === undefined) return `${RECEIPT}: neither true nor false`;
  if (parameters === undefined || !OWN.some((key) => Object.hasOwn(parameters, key)))
    return { request, wantsReceipt: inHeader };
  const wish = Object.hasOwn(parameters, RECEIPT) ? wishOf(parameters[RECEIPT]) : false;
  if (wish === undefined) return `parameter ${RECEIPT}: neither true nor false`;
  const explanation = ATTRIBUTION_METHODS.find((method) => method === parameters[EXPLANATION]);
  if (explanation === undefined && Object.hasOwn(parameters, EXPLANATION))
    return `parameter ${EXPLANATION}: not one of ${ATTRIBUTION_METHODS.join(', ')}`;
  const rest: Parameters = Object.fromEntries(
    Object.entries(parameters).filter(([key]) => !OWN.includes(key)),
  );
  return {
    request: { ...request, parameters: rest },
    wantsReceipt: inHeader || wish,
    ...(explanation !== undefined && { explanation }),
  };
}

/** Parameters that are meant for the face itself. */
const OWN: readonly string[] = [RECEIPT, EXPLANATION];

type Named = Pick<Tensor, 'name' | 'parameters'>;

function wishOf(value: unknown): boolean | undefined {
  if (value === true || value === 1 || value === '1' || value === 'true') return true;
  if (value === false || value === 0 || value === '0' || value === 'false') return false;
  return undefined;
}
