import { isIPv4 } from 'node:net';
import { GlacisError } from '../../../core/error.ts';
import { type Fields, isObject } from '../json-fields.ts';

/** Where keyless signing happens. */
export interface SigstoreServices {
  /** The authority that gives certificates. */
  readonly fulcio: string;
  /** The log that signatures are entered in, for everyone who can read it to see. */
  readonly rekor: string;
  /** Where people log in: an OpenID Connect issuer that the authority believes. */
  readonly issuer?: string | undefined;
}

/** The services that the Open Source Security Foundation runs for everyone. */
export const PUBLIC_SIGSTORE: SigstoreServices = {
  fulcio: 'https://fulcio.sigstore.dev',
  rekor: 'https://rekor.sigstore.dev',
  issuer: 'https://oauth2.sigstore.dev/auth',
};

/** Their instance for trials: its signatures prove nothing to whoever trusts the public one. */
export const STAGING_SIGSTORE: SigstoreServices = {
  fulcio: 'https://fulcio.sigstage.dev',
  rekor: 'https://rekor.sigstage.dev',
  issuer: 'https://oauth2.sigstage.dev/auth',
};

/**
 * The services that a client trust configuration names for signing, at the time `now`: of each kind the first that is valid and speaks the first version
 * of its interface. Source: `SigningConfig` v0.2 of sigstore/protobuf-specs. Errors: `key/unusable` when it names none, or is something else.
 */
export function servicesFrom(config: Uint8Array, now: Date): SigstoreServices {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(config).toString('utf8'));
  } catch (cause) {
    throw unusable('expected JSON, got something else', cause);
  }
  const signing = isObject(json) ? (json.signingConfig ?? json) : undefined;
  if (!isObject(signing) || !Array.isArray(signing.caUrls))
    throw unusable(
      'expected a client trust configuration with a signing configuration (v0.2) in it, got none; a trusted root alone says whom to believe and not where to sign',
    );
  const issuer = serviceIn(signing, 'oidcUrls', now);
  return {
    fulcio: required(signing, 'caUrls', 'a certificate authority', now),
    rekor: required(signing, 'rekorTlogUrls', 'a transparency log (Rekor v1)', now),
    ...(issuer === undefined ? {} : { issuer }),
  };
}

function required(signing: Fields, field: string, what: string, now: Date): string {
  const url = serviceIn(signing, field, now);
  if (url === undefined)
    throw unusable(`${field}: expected ${what} that is valid now and of version 1, got none`);
  return url;
}

function serviceIn(signing: Fields, field: string, now: Date): string | undefined {
  const services = Array.isArray(signing[field]) ? signing[field] : [];
  for (const service of services as readonly unknown[]) {
    if (!isObject(service) || typeof service.url !== 'string' || service.majorApiVersion !== 1) continue;
    const { start, end } = isObject(service.validFor) ? service.validFor : {};
    if (timeIn(start) <= now.getTime() && (end === undefined || now.getTime() < timeIn(end)))
      return serviceUrl(service.url, field);
  }
  return undefined;
}

/** A time of the configuration; not a number, which is neither before nor after anything, for one that cannot be read. */
function timeIn(time: unknown): number {
  return typeof time === 'string' ? Date.parse(time) : Number.NaN;
}

/** The address of a service: HTTPS, or HTTP on this machine, because a token that others read signs for them. Errors: `option/invalid`. */
export function serviceUrl(text: string, where: string): string {
  const url = URL.parse(text);
  if (url !== null && url.username === '' && (url.protocol === 'https:' || isLoopback(url)))
    return text.replace(/\/+$/, '');
  throw new GlacisError(
    'option/invalid',
    `${where}: expected an address with https (http on this machine only), got '${text}'`,
  );
}

/** Whether an address is plain HTTP that does not leave the machine. */
export function isLoopback({ protocol, hostname }: URL): boolean {
  return (
    protocol === 'http:' &&
    (hostname === 'localhost' || hostname === '[::1]' || (isIPv4(hostname) && hostname.startsWith('127.')))
  );
}

function unusable(problem: string, cause?: unknown): GlacisError {
  return new GlacisError('key/unusable', `trust configuration: ${problem}`, { cause });
}
