import { GlacisError } from '../../core/error.ts';
import { MOST_ENTRY_BYTES } from '../../ledger/index.ts';
import { commitment } from './commitment.ts';
import type { PayloadPlace } from './payload-store.ts';
import type { FramedRecord } from './record-frame.ts';
import { sealBytes } from './sealed-bytes.ts';
import type { SubjectKey } from './subject-keys.ts';

/** The schema of an entry about a decision. */
export const DECISION_SCHEMA = 'glacis.decision/1';
/** The schema of an entry about anything else. */
export const EVENT_SCHEMA = 'glacis.event/1';

/**
 * The bytes of an entry, canonical JSON: `commitments`, `decision`, `payload`, `schema`, `subject`, `who`; or `event`, `schema`. What is
 * sealed is text in base64.
 */
export function entryBytes(
  record: FramedRecord,
  key: SubjectKey | undefined,
  { sealWho, payload }: { readonly sealWho: boolean; readonly payload: PayloadPlace | undefined },
): Buffer {
  const bytes = record.kind === 'event' ? eventBytes(record) : decisionBytes(record, key!, sealWho, payload);
  if (bytes.length > MOST_ENTRY_BYTES)
    throw new GlacisError(
      'option/invalid',
      `log entry: expected at most ${MOST_ENTRY_BYTES} bytes, got ${bytes.length}`,
    );
  return bytes;
}

function eventBytes({ body }: FramedRecord): Buffer {
  return Buffer.concat([Buffer.from('{"event":'), body, Buffer.from(`,"schema":"${EVENT_SCHEMA}"}`)]);
}

function decisionBytes(
  { id, body, who, input, output }: FramedRecord,
  key: SubjectKey,
  sealWho: boolean,
  payload: PayloadPlace | undefined,
): Buffer {
  const of = (what: 'input' | 'output', parts: readonly Uint8Array[]) =>
    `"${what}":"${commitment(key.salts, id, what, parts)}"`;
  const commitments =
    input === undefined
      ? ''
      : `"commitments":{${of('input', input)}${output?.length ? `,${of('output', output)}` : ''}},`;
  const place = payload
    ? `,"payload":{"at":"${payload.at}","bytes":${payload.bytes},"digest":"${payload.digest}"}`
    : '';
  return Buffer.concat([
    Buffer.from(`{${commitments}"decision":`),
    body,
    Buffer.from(`${place},"schema":"${DECISION_SCHEMA}","subject":"${key.pseudonym}","who":`),
    sealWho ? Buffer.from(`"${sealBytes(key.identity, id, 'who', who).toString('base64')}"`) : who,
    Buffer.from('}'),
  ]);
}

/** Inputs and outputs as one run of bytes, to be sealed. */
export function payloadBytes(input: readonly Uint8Array[], output: readonly Uint8Array[]): Buffer {
  const head = Buffer.alloc(4 + 8 * (input.length + output.length));
  head.writeUInt16BE(input.length, 0);
  head.writeUInt16BE(output.length, 2);
  const parts = [...input, ...output];
  for (const [i, part] of parts.entries()) head.writeBigUInt64BE(BigInt(part.byteLength), 4 + 8 * i);
  return Buffer.concat([head, ...parts]);
}

/** Takes {@link payloadBytes} apart. `bytes` were authenticated. Errors: `vault/unreadable`. */
export function readPayloadBytes(bytes: Buffer): {
  readonly input: readonly Uint8Array[];
  readonly output: readonly Uint8Array[];
} {
  const broken = () => new GlacisError('vault/unreadable', 'payload: expected inputs and outputs');
  if (bytes.length < 4) throw broken();
  const [inputs, outputs] = [bytes.readUInt16BE(0), bytes.readUInt16BE(2)];
  let at = 4 + 8 * (inputs + outputs);
  if (at > bytes.length) throw broken();
  const parts = Array.from({ length: inputs + outputs }, (_, i) => {
    const end = at + Number(bytes.readBigUInt64BE(4 + 8 * i));
    if (end > bytes.length) throw broken();
    const part = bytes.subarray(at, end);
    at = end;
    return part;
  });
  return { input: parts.slice(0, inputs), output: parts.slice(inputs) };
}
