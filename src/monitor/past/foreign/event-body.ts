import { unzipSync } from 'node:zlib';
import type { Source } from '../../../oip/fault.ts';
import { objectFrom, parseJson } from '../../../oip/json.ts';
import { isBlank, jsonPrefix } from '../../../oip/json-prefix.ts';
import { JSON_LENGTH_HEADER, partsOf, tensorsFrom } from '../../../oip/message.ts';
import type { Tensor } from '../../../oip/tensor.ts';
import { attributeOf, headerOf } from './event-attributes.ts';
import { isLoose, type Loose } from './loose.ts';
import { mismatch } from './mismatch.ts';

/** Bytes of an inflated body. */
const MOST_BODY = 2 ** 26;

/** Which of the two an event is about. */
export type Side = 'request' | 'response';

/** The body of a request or a response. */
export interface EventBody {
  /** Its JSON; all of it, or what is before tensors in binary form. */
  readonly json: Loose;
  /** Its tensors, where some are in binary form; undefined for plain JSON, which is read more loosely. */
  readonly tensors: readonly Tensor[] | undefined;
}

/**
 * The body that an event carries: `data` as an object or as JSON text, or bytes in `data_base64`, which may be compressed as gzip or zlib, because a payload logger keeps them as they were on the line. Bytes may have tensors in binary form behind the JSON
 * (https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md). Where the JSON ends says {@link JSON_LENGTH_HEADER} where it was kept; otherwise its bracket does. Attacker-controlled. Errors: `data/mismatch`, `request/invalid`, `endpoint/bad-answer`.
 */
export function bodyOf(event: Loose, side: Side): EventBody {
  if (typeof event.data_base64 === 'string') return fromBytes(bytesOf(event.data_base64), event, side);
  let json = event.data;
  if (typeof json === 'string') {
    try {
      json = JSON.parse(json);
    } catch {
      throw mismatch('expected JSON as the data of an event (bytes stand in data_base64), got another text');
    }
  }
  if (!isLoose(json)) throw mismatch('expected an object as the data of an event, got none');
  return { json, tensors: undefined };
}

function fromBytes(body: Uint8Array, event: Loose, side: Side): EventBody {
  const source: Source =
    side === 'request'
      ? { where: 'the body of a request', code: 'request/invalid' }
      : { where: 'the body of a response', code: 'endpoint/bad-answer' };
  const end = jsonPrefix(body, source);
  const said = jsonLengthOf(event, side);
  if (said === undefined && body.subarray(end).every(isBlank))
    return { json: objectFrom(parseJson(body, source), source, ''), tensors: undefined };
  const parts = partsOf({ body, jsonLength: said ?? `${end}` }, source);
  // A server that refuses a request says so in JSON alone.
  if (parts.binary.length === 0) return { json: parts.json, tensors: undefined };
  const tensors = tensorsFrom(parts, side === 'request' ? 'inputs' : 'outputs', source);
  return { json: parts.json, tensors };
}

/**
 * What the event says about the length of the JSON: an attribute (`inferenceheadercontentlength`: names of attributes have no dashes), or a header among those that KServe's logger was told to keep. Those are the request's, in events of responses too
 * (https://github.com/kserve/kserve/blob/master/pkg/logger/handler.go), so of a response they say nothing.
 */
function jsonLengthOf(event: Loose, side: Side): string | undefined {
  const said = attributeOf(event, JSON_LENGTH_HEADER) ?? attributeOf(event, 'inferenceheadercontentlength');
  return said ?? (side === 'request' ? headerOf(event, JSON_LENGTH_HEADER) : undefined);
}

function bytesOf(base64: string): Uint8Array {
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64))
    throw mismatch('expected data_base64 as base64, got another text or a part of one');
  const bytes = Buffer.from(base64, 'base64');
  // What JSON cannot begin with: 1f 8b is gzip, 78 zlib, which HTTP calls deflate.
  if (bytes[0] !== 0x1f && bytes[0] !== 0x78) return bytes;
  try {
    return unzipSync(bytes, { maxOutputLength: MOST_BODY });
  } catch {
    throw mismatch(
      `expected a body that inflates to at most ${MOST_BODY} bytes, got a longer one or another format`,
    );
  }
}
