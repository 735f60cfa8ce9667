import { X509Certificate } from 'node:crypto';
import { GlacisError } from '../../core/error.ts';
import { type DerElement, derElements, oidText } from './der.ts';

/** What a certificate says about its own use, beside what Node reads. */
export interface Certificate {
  readonly x509: X509Certificate;
  /** Object identifier of the algorithm that signed it. */
  readonly signatureAlgorithm: string;
  /** Absent where the certificate does not say. */
  readonly keyUsage?: { readonly digitalSignature: boolean; readonly keyCertSign: boolean };
  /** Object identifiers; absent where the certificate does not say. */
  readonly extendedKeyUsage?: readonly string[];
  readonly isAuthority: boolean;
  /** How many authorities may stand below it; absent means any number. */
  readonly pathLength?: number;
  /** Critical extensions that are not read here: nobody may rely on such a certificate. */
  readonly unknownCritical: readonly string[];
}

/** Object identifier of code signing as an extended key usage. */
export const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';

const KEY_USAGE = '2.5.29.15';
const BASIC_CONSTRAINTS = '2.5.29.19';
const EXTENDED_KEY_USAGE = '2.5.29.37';
/** Read by nobody here, but no restriction of what is judged: alternative names and policies. */
const HARMLESS: ReadonlySet<string> = new Set(['2.5.29.17', '2.5.29.18', '2.5.29.32']);
/** Restricts the names below it. Refused even where it is not critical, because it is not judged. */
const NAME_CONSTRAINTS = '2.5.29.30';

/** Reads a certificate in DER. Errors: `key/unusable` for anything else. */
export function readCertificate(der: Uint8Array, where: string): Certificate {
  let x509: X509Certificate;
  try {
    x509 = new X509Certificate(Buffer.from(der));
  } catch (cause) {
    throw new GlacisError('key/unusable', `${where}: expected a certificate, got something else`, { cause });
  }
  const fields = fieldsOf(x509.raw);
  if (fields === undefined)
    throw new GlacisError('key/unusable', `${where}: expected a certificate in DER, got a malformed one`);
  return { x509, ...fields };
}

/** Reads every certificate in a PEM file. Errors: `key/unusable` when there is none. */
export function readCertificates(pem: Uint8Array, where: string): readonly Certificate[] {
  const blocks = Buffer.from(pem)
    .toString('latin1')
    .match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (blocks === null)
    throw new GlacisError('key/unusable', `${where}: expected certificates in PEM, got none`);
  return blocks.map((block) =>
    readCertificate(Buffer.from(block.replace(/-----[A-Z ]+-----/g, ''), 'base64'), where),
  );
}

/** RFC 5280, section 4.1: Certificate, its TBSCertificate and the extensions in it. */
function fieldsOf(der: Uint8Array): Omit<Certificate, 'x509'> | undefined {
  const [certificate] = derElements(der) ?? [];
  const [tbs, algorithm] = (certificate && derElements(certificate.content)) ?? [];
  const [oid] = (algorithm && derElements(algorithm.content)) ?? [];
  const parts = tbs && derElements(tbs.content);
  if (!oid || !parts) return undefined;
  const list = parts.find(({ tag }) => tag === 0xa3);
  const [sequence] = (list && derElements(list.content)) ?? [];
  const extensions = sequence ? derElements(sequence.content) : [];
  if (extensions === undefined) return undefined;
  const found: { -readonly [K in keyof Omit<Certificate, 'x509'>]: Certificate[K] } = {
    signatureAlgorithm: oidText(oid.content),
    isAuthority: false,
    unknownCritical: [],
  };
  for (const extension of extensions) {
    const inner = derElements(extension.content);
    const id = inner?.[0];
    const value = inner?.at(-1);
    if (!inner || !id || !value || value.tag !== 0x04) return undefined;
    const critical = inner[1]?.tag === 0x01 && inner[1].content[0] !== 0;
    const name = oidText(id.content);
    const body = derElements(value.content)?.[0];
    if (name === KEY_USAGE) {
      const bits = body?.content[1];
      if (body?.tag !== 0x03 || bits === undefined) return undefined;
      found.keyUsage = { digitalSignature: (bits & 0x80) !== 0, keyCertSign: (bits & 0x04) !== 0 };
    } else if (name === EXTENDED_KEY_USAGE) {
      const usages = body && derElements(body.content);
      if (!usages) return undefined;
      found.extendedKeyUsage = usages.map(({ content }) => oidText(content));
    } else if (name === BASIC_CONSTRAINTS) {
      const constraints = body && derElements(body.content);
      if (!constraints) return undefined;
      Object.assign(found, authorityFrom(constraints));
    } else if (name === NAME_CONSTRAINTS || (critical && !HARMLESS.has(name)))
      found.unknownCritical = [...found.unknownCritical, name];
  }
  return found;
}

function authorityFrom(constraints: readonly DerElement[]): Pick<Certificate, 'isAuthority' | 'pathLength'> {
  const flag = constraints.find(({ tag }) => tag === 0x01);
  const length = constraints.find(({ tag }) => tag === 0x02)?.content;
  return {
    isAuthority: flag !== undefined && flag.content[0] !== 0,
    ...(length === undefined ? {} : { pathLength: length.length === 1 && length[0]! < 128 ? length[0]! : 0 }),
  };
}
