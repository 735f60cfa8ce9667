import { constants } from 'node:http2';
import { GlacisError } from '../../../core/error.ts';
import { quoted } from '../../../onnx/problems.ts';
import type { Malformed } from '../../gateway.ts';
import type { Lease } from '../byte-budget.ts';
import type { Encoding } from '../inflate.ts';
import { DECISION } from '../question.ts';
import type { FaceSurroundings } from '../surroundings.ts';
import type { Call } from './call.ts';
import { MessageReader } from './message-reader.ts';
import { METHODS } from './methods.ts';
import { timeoutFrom } from './timeout.ts';

const UNIMPLEMENTED = 12;

/** A fault of a call: why it never became a question, and a code in place of the refusal's own. */
type Fault = Pick<Malformed, 'refusal' | 'because'> & { readonly code?: number };

/** Takes one call from its headers to its answer. Never throws. */
export async function serveCall(call: Call, path: string, face: FaceSurroundings): Promise<void> {
  try {
    await served(call, path, face);
  } catch {
    // Nothing was written down, so nothing is said.
    call.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }
}

async function served(call: Call, path: string, face: FaceSurroundings): Promise<void> {
  const { gateway, inWork, budget } = face;
  const { caller, arrived, headers } = call;
  const refuse = async ({ code, ...what }: Fault): Promise<void> =>
    call.refuse(await gateway.malformed(caller, { ...what, arrived }), code);
  const method = METHODS.get(path);
  if (method === undefined)
    return refuse({ refusal: 'unknown', because: `no such method: ${quoted(path)}`, code: UNIMPLEMENTED });
  const encoding = encodingOf(headers['grpc-encoding'] as string | undefined);
  if (encoding === undefined) return refuse({ refusal: 'encoding', because: 'the encoding' });
  const timeout = headers['grpc-timeout'] as string | undefined;
  const left = timeout === undefined ? undefined : timeoutFrom(timeout);
  if (timeout !== undefined && left === undefined)
    return refuse({ refusal: 'malformed', because: 'a timeout that is none' });
  if (!inWork.begin())
    return refuse({ refusal: 'unavailable', because: 'no room for more requests at once' });
  const lease = budget.lease(caller.address);
  const timer = left === undefined ? undefined : setTimeout(() => call.late(), left);
  try {
    const read = await messageOf(call, encoding, face, lease);
    if (read === undefined) return;
    if (!(read instanceof Uint8Array)) return await refuse(read);
    const outcome = await method(call, read, face);
    if ('kind' in outcome) {
      call.refuse(outcome);
      return;
    }
    const { message, decision } = outcome;
    await call.answer(message, {
      encoding: face.config.compression ? answerEncoding(headers, encoding) : undefined,
      padding: face.padding,
      trailers: decision === undefined ? {} : { [DECISION]: decision },
    });
  } catch (thrown) {
    const isInvalid = thrown instanceof GlacisError && thrown.code === 'request/invalid';
    const because = thrown instanceof Error ? thrown.message : 'something that is no error';
    await refuse({ refusal: isInvalid ? 'malformed' : 'failed', because });
  } finally {
    clearTimeout(timer);
    lease.end();
    inWork.end();
  }
}

function encodingOf(name: string | undefined): 'identity' | Encoding | undefined {
  if (name === undefined || name === 'identity') return 'identity';
  return name === 'gzip' || name === 'deflate' ? name : undefined;
}

/** A caller who compresses is answered alike, where it takes that. */
function answerEncoding(headers: Call['headers'], encoding: 'identity' | Encoding): Encoding | undefined {
  const accepted = `${headers['grpc-accept-encoding'] ?? ''}`.split(',').map((name) => name.trim());
  return encoding !== 'identity' && accepted.includes(encoding) ? encoding : undefined;
}

/** The call's one message, inflated; undefined where the caller has gone. */
async function messageOf(
  call: Call,
  encoding: 'identity' | Encoding,
  { gateway, inflater }: FaceSurroundings,
  lease: Lease,
): Promise<Uint8Array | Fault | undefined> {
  const most = gateway.mostBytes;
  const reader = new MessageReader(most, lease);
  const stopped = await new Promise<ReturnType<MessageReader['add']> | 'gone'>((resolve) => {
    const { stream } = call;
    stream.on('data', (piece: Buffer) => {
      const fault = reader.add(piece);
      if (fault === undefined) return;
      stream.pause();
      resolve(fault);
    });
    stream.once('end', () => resolve(undefined));
    stream.once('close', () => resolve('gone'));
  });
  if (stopped === 'gone') return undefined;
  if (stopped !== undefined) return faultOf(stopped, most);
  const message = reader.message();
  if (message === undefined) return { refusal: 'malformed', because: 'no whole message' };
  if (!message.isCompressed) return message.bytes;
  if (encoding === 'identity')
    return { refusal: 'malformed', because: 'a compressed message without an encoding' };
  const inflated = await inflater.inflate(message.bytes, encoding, {
    most,
    lease,
    address: call.caller.address,
  });
  return typeof inflated === 'string' ? faultOf(inflated, most) : inflated;
}

function faultOf(fault: 'too-large' | 'busy' | 'malformed', most: number): Fault {
  switch (fault) {
    case 'too-large':
      return { refusal: 'too-large', because: `a message of more than ${most} bytes` };
    case 'busy':
      return { refusal: 'unavailable', because: 'no room for more requests at once' };
    case 'malformed':
      return { refusal: 'malformed', because: 'what is not one message, as long as it says' };
  }
}
