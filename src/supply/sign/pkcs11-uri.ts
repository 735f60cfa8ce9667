import { GlacisError } from '../../core/error.ts';

/** What a PKCS#11 URI says about a key (RFC 7512). */
export interface Pkcs11Uri {
  /** The module's file; one of the two is there. */
  readonly modulePath?: string;
  /** The module's name, looked for where systems keep modules. */
  readonly moduleName?: string;
  readonly token?: string;
  readonly serial?: string;
  readonly manufacturer?: string;
  readonly model?: string;
  readonly slotId?: number;
  /** The key's label. */
  readonly object?: string;
  /** The key's identifier, in bytes. */
  readonly id?: Uint8Array;
  readonly pinValue?: string;
  /** A file that holds the PIN. */
  readonly pinSource?: string;
}

/** Attributes of the path that choose, and of the query that say how. `type` may be `private` only. */
const TEXTS: Readonly<Record<string, keyof Pkcs11Uri>> = {
  token: 'token',
  serial: 'serial',
  manufacturer: 'manufacturer',
  model: 'model',
  object: 'object',
  'module-path': 'modulePath',
  'module-name': 'moduleName',
  'pin-value': 'pinValue',
  'pin-source': 'pinSource',
};

/**
 * Reads `pkcs11:token=T;object=K?module-path=/usr/lib/…/libsofthsm2.so&pin-source=/run/pin`. An attribute that is not known is refused: it
 * would choose another key than the writer meant. Errors: `option/invalid`; the PIN is not repeated in them.
 */
export function parsePkcs11Uri(uri: string): Pkcs11Uri {
  if (!/^pkcs11:/i.test(uri)) throw invalid("expected an address that starts with 'pkcs11:', got another");
  const [path = '', query = ''] = uri.slice('pkcs11:'.length).split('?', 2);
  const attributes = [...path.split(';'), ...query.split('&')].filter((part) => part !== '');
  const found: { -readonly [K in keyof Pkcs11Uri]: Pkcs11Uri[K] } = {};
  const seen = new Set<string>();
  for (const attribute of attributes) {
    const [name = '', raw = ''] = attribute.split(/=(.*)/s, 2);
    if (seen.has(name)) throw invalid(`expected ${name} once, got it twice`);
    seen.add(name);
    const bytes = unescaped(name, raw);
    const text = Buffer.from(bytes).toString('utf8');
    if (name === 'id') found.id = bytes;
    else if (name === 'slot-id') {
      if (!/^\d{1,9}$/.test(text)) throw invalid('expected slot-id to be a number, got something else');
      found.slotId = Number(text);
    } else if (name === 'type') {
      if (text !== 'private') throw invalid(`expected type to be private, got '${text}'`);
    } else if (Object.hasOwn(TEXTS, name)) Object.assign(found, { [TEXTS[name]!]: text });
    else throw invalid(`expected attributes of RFC 7512 that choose a key, got '${name}'`);
  }
  if (found.object === undefined && found.id === undefined)
    throw invalid('expected the key as object or id, got neither');
  if (found.modulePath === undefined && found.moduleName === undefined)
    throw invalid('expected module-path or module-name, got neither');
  return found;
}

function unescaped(name: string, raw: string): Uint8Array {
  const bytes: number[] = [];
  for (let i = 0; i < raw.length; i++) {
    if (raw[i] !== '%') {
      bytes.push(...Buffer.from(raw[i]!));
      continue;
    }
    const hex = raw.slice(i + 1, i + 3);
    if (!/^[0-9a-fA-F]{2}$/.test(hex))
      throw invalid(`expected two hexadecimal digits after % in ${name}, got others`);
    bytes.push(Number.parseInt(hex, 16));
    i += 2;
  }
  return Uint8Array.from(bytes);
}

function invalid(problem: string): GlacisError {
  return new GlacisError('option/invalid', `--pkcs11-uri: ${problem}`);
}
