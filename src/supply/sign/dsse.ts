/** The payload type of every statement here. */
export const IN_TOTO = 'application/vnd.in-toto+json';

/** A DSSE envelope: bytes, what they are, and signatures over both. Everything in a parsed one is attacker-controlled until verified. */
export interface Envelope {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  /** At least one; verifiers of OMS look at the first. */
  readonly signatures: readonly Uint8Array[];
}

/**
 * What is signed in place of the payload: `DSSEv1 <length> <type> <length> <payload>`, lengths in bytes
 * (https://github.com/secure-systems-lab/dsse/blob/v1.0.0/protocol.md).
 */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = Buffer.from(payloadType);
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${type.length} `),
    type,
    Buffer.from(` ${payload.length} `),
    payload,
  ]);
}

/**
 * What version 0.2.0 of the Python tool signed by mistake: another first word, and the payload as Python writes a bytes literal, such as
 * `b'{\n…}'` with the escapes spelled out. Only for verifying what was signed then.
 */
export function legacyPreAuthEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const literal = bytesLiteral(payload);
  return Buffer.from(`DSSEV1 ${payloadType.length} ${payloadType} ${payload.length} ${literal}`);
}

/** `repr` of Python's bytes. */
function bytesLiteral(bytes: Uint8Array): string {
  const quote = bytes.includes(0x27) && !bytes.includes(0x22) ? '"' : "'";
  const escapes: Readonly<Record<number, string>> = {
    9: '\\t',
    10: '\\n',
    13: '\\r',
    92: '\\\\',
    [quote.charCodeAt(0)]: `\\${quote}`,
  };
  let text = '';
  for (const byte of bytes) {
    const plain = byte >= 0x20 && byte < 0x7f;
    text += escapes[byte] ?? (plain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`);
  }
  return `b${quote}${text}${quote}`;
}
