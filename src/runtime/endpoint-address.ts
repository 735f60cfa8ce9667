import { GlacisError } from '../core/error.ts';

/** Where an endpoint's model lies, taken apart so that credentials cannot get into messages. */
export interface EndpointAddress {
  /** The model's metadata; `/infer` below it answers. Without credentials: this is also its name in messages. */
  readonly url: string;
  /** `Basic …` where the address held a user's name and password. */
  readonly authorization: string | undefined;
  /** Whether what is sent can be read on the way: no TLS, and not this machine. */
  readonly exposed: boolean;
  /** Where the service is, and which of its models, where it is asked over gRPC. */
  readonly grpc?: GrpcAddress | undefined;
}

/** A model of a gRPC service. */
export interface GrpcAddress {
  /** `http://HOST[:PORT]` or `https://…`: what HTTP/2 connects to. */
  readonly origin: string;
  readonly model: string;
  /** The server chooses where it is undefined. */
  readonly version: string | undefined;
}

const FORM = 'http(s) or grpc(s)://HOST[:PORT]/v2/models/NAME[/versions/VERSION]';
const MODEL_PATH = /\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?$/;

/** Whether a target is written as an address and not as a file's path. */
export function isEndpoint(target: string): boolean {
  return /^(?:https?|grpcs?):\/\//i.test(target);
}

/**
 * Reads an endpoint's address; anything may stand before `/v2`, as behind an ingress, but not over gRPC, whose methods have paths of their
 * own. Never repeats the address, which may hold a password. Errors: `option/invalid`.
 */
export function endpointAddress(address: string): EndpointAddress {
  const invalid = (got: string) =>
    new GlacisError('option/invalid', `endpoint: expected ${FORM}, got ${got}`);
  const isGrpc = /^grpcs?:/i.test(address);
  // gRPC's schemes are nobody's: read as HTTP's, so that host and port are checked alike.
  const url = URL.parse(isGrpc ? address.replace(/^grpc/i, 'http') : address);
  if (!url) throw invalid('something that is no address');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw invalid(`an address of ${url.protocol}`);
  if (url.search !== '' || url.hash !== '')
    throw invalid('an address with a query or fragment; keys go into headers');
  const path = url.pathname.replace(/\/$/, '');
  const found = MODEL_PATH.exec(path);
  if (!found || (isGrpc && found.index > 0)) throw invalid('another path');
  const origin = isGrpc ? url.origin.replace(/^http/, 'grpc') : url.origin;
  return {
    url: `${origin}${path}`,
    authorization: basicFrom(url, invalid),
    exposed: url.protocol === 'http:' && !/^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname),
    ...(isGrpc && { grpc: grpcFrom(url, found, invalid) }),
  };
}

function grpcFrom(
  { origin }: URL,
  [, model = '', version]: readonly string[],
  invalid: (got: string) => GlacisError,
): GrpcAddress {
  try {
    return {
      origin,
      model: decodeURIComponent(model),
      version: version === undefined ? undefined : decodeURIComponent(version),
    };
  } catch {
    throw invalid('a name with a broken % sequence');
  }
}

function basicFrom({ username, password }: URL, invalid: (got: string) => GlacisError): string | undefined {
  if (username === '' && password === '') return undefined;
  try {
    const plain = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    return `Basic ${Buffer.from(plain).toString('base64')}`;
  } catch {
    throw invalid('a user or password with a broken % sequence');
  }
}
