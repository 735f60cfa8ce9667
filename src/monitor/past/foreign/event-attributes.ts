import { isLoose, type Loose } from './loose.ts';

const MOST_NAME = 256;
/** Longest text of kept headers that is opened. */
const MOST_METADATA = 2 ** 16;

/**
 * An attribute of a CloudEvent as text: undefined where it is missing, empty or no text or number. Extension attributes stand beside the others
 * (https://github.com/cloudevents/spec/blob/main/cloudevents/formats/json-format.md).
 */
export function attributeOf(event: Loose, name: string): string | undefined {
  return Object.hasOwn(event, name) ? said(event[name]) : undefined;
}

/**
 * A header of the request, whatever its case, from the attribute `metadata`, in which KServe's logger writes those that `metadataHeaders` names: JSON text of lists by name. Several values become one text: somebody who sends the header a second time must not look like who is in
 * the first. Undefined where there is none. Source: https://kserve.github.io/website/docs/model-serving/predictive-inference/logger/request-header-logger
 */
export function headerOf(event: Loose, name: string): string | undefined {
  if (!Object.hasOwn(event, 'metadata')) return undefined;
  const headers = headersIn(event.metadata);
  const key = Object.keys(headers).find((each) => each.toLowerCase() === name.toLowerCase());
  if (key === undefined) return undefined;
  const value = headers[key];
  if (!Array.isArray(value)) return said(value);
  const texts = value.map(said).filter((each) => each !== undefined);
  return texts.length === 0 ? undefined : texts.join(', ').slice(0, MOST_NAME);
}

/** Who called: the attribute of that name, or the header that was kept. Undefined where the event does not say it. */
export function callerOf(event: Loose, name: string): string | undefined {
  return attributeOf(event, name) ?? headerOf(event, name);
}

function headersIn(metadata: unknown): Loose {
  if (isLoose(metadata)) return metadata;
  if (typeof metadata !== 'string' || metadata.length > MOST_METADATA) return {};
  try {
    const read: unknown = JSON.parse(metadata);
    return isLoose(read) ? read : {};
  } catch {
    // Another logger's attribute of that name.
    return {};
  }
}

function said(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value.slice(0, MOST_NAME) : undefined;
}
