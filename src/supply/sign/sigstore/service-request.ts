import { throwIfCancelled } from '../../../core/cancel.ts';
import { GlacisError, reasonOf } from '../../../core/error.ts';
import { exchangeOnce } from '../../../runtime/http-exchange.ts';
import { type Fields, isObject } from '../json-fields.ts';

/** A question to one of the services that keyless signing needs. */
export interface ServiceRequest {
  /** What is asked, as errors name it. */
  readonly what: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; without it nothing is sent, and the method is GET. */
  readonly json?: object;
  /** What an error must not repeat, though the service does: whoever reads a log could sign with it. */
  readonly secrets: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

const PATIENCE = 30_000;
const MOST_BYTES = 8 << 20;

/**
 * The text that a service answers. It is attacker-controlled as far as the service is. Errors: `signing/unavailable` for any other answer than a good one, with the
 * service's words; `run/cancelled`.
 */
export async function askService(request: ServiceRequest): Promise<string> {
  const { what, url, headers = {}, json, secrets, signal } = request;
  const where = `${what} at ${new URL(url).origin}`;
  const fail = (got: string) => new GlacisError('signing/unavailable', `${where}: ${without(got, secrets)}`);
  throwIfCancelled(signal, where);
  const patience = AbortSignal.timeout(PATIENCE);
  try {
    const { status, body } = await exchangeOnce(
      {
        method: json === undefined ? 'GET' : 'POST',
        url,
        headers: {
          accept: 'application/json',
          ...headers,
          ...(json && { 'content-type': 'application/json' }),
        },
        ...(json && { body: new Uint8Array(Buffer.from(JSON.stringify(json))) }),
        maxBytes: MOST_BYTES,
      },
      where,
      signal ? AbortSignal.any([signal, patience]) : patience,
    );
    const text = Buffer.from(body).toString('utf8');
    if (status >= 200 && status < 300) return text;
    // Secrets go before words are cut: a part of one would stay.
    const words = wordsIn(without(text, secrets));
    throw fail(`expected an answer, got status ${status}: ${words || 'without a word on why'}`);
  } catch (thrown) {
    throwIfCancelled(signal, where);
    if (thrown instanceof GlacisError)
      throw new GlacisError('signing/unavailable', without(thrown.message, secrets));
    // No cause: libraries repeat what was sent.
    const cause = (thrown as { cause?: unknown }).cause;
    throw fail(`expected an answer, got none: ${reasonOf(cause instanceof Error ? cause : thrown)}`);
  }
}

/** The object that a service answers. Errors: as {@link askService}. */
export async function askForObject(request: ServiceRequest): Promise<Fields> {
  const text = await askService(request);
  const { what, url } = request;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  if (!isObject(json))
    throw new GlacisError(
      'signing/unavailable',
      `${what} at ${new URL(url).origin}: expected an object in JSON, got something else`,
    );
  return json;
}

/** What a refusal says: its `message` or `error` where it is JSON, else its text. */
function wordsIn(text: string): string {
  let words = text;
  try {
    const json: unknown = JSON.parse(text);
    const found = isObject(json) ? (json.message ?? json.error_description ?? json.error) : undefined;
    if (typeof found === 'string') words = found;
  } catch {
    // Plain text, then.
  }
  return words.slice(0, 300).replace(/\s+/g, ' ').trim();
}

function without(text: string, secrets: readonly string[]): string {
  return secrets.reduce((left, secret) => (secret === '' ? left : left.replaceAll(secret, '(secret)')), text);
}
