import { parentPort, workerData } from 'node:worker_threads';
import { asGlacisError } from '../../../core/error.ts';
import { decodeInferRequest, encodeInferResponse, type InferRequest } from '../../../oip/index.ts';
import type { CodecReply, CodecTask } from './codec-messages.ts';

/** The buffers of a request's tensors, each once; texts are many small ones, which are copied rather than handed over. */
function buffersOf({ inputs }: InferRequest): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const tensor of inputs)
    if (tensor.datatype !== 'BYTES') buffers.add(tensor.data.buffer as ArrayBuffer);
  return [...buffers];
}

function done(task: CodecTask): readonly [CodecReply, ArrayBuffer[]] {
  if (task.kind === 'decode') {
    const request = decodeInferRequest(task);
    return [{ request }, buffersOf(request)];
  }
  const message = encodeInferResponse(task.response, (name) => task.binary.includes(name));
  return [{ message }, [message.body.buffer]];
}

if (parentPort && (workerData as { readonly glacis?: string } | null)?.glacis === 'codec') {
  const port = parentPort;
  port.on('message', (task: CodecTask) => {
    try {
      const [reply, buffers] = done(task);
      port.postMessage(reply, buffers);
    } catch (thrown) {
      const { message } = asGlacisError(thrown, 'request/invalid', 'message');
      port.postMessage({ refused: message } satisfies CodecReply);
    }
  });
}
