import { parentPort, workerData } from 'node:worker_threads';
import { asGlacisError } from '../../../core/error.ts';
import { decodeInferRequest, type InferRequest } from '../../../oip/index.ts';
import type { DecodeReply, DecodeTask } from './decode-messages.ts';

/** The buffers of a request's tensors, each once; texts are many small ones, which are copied rather than handed over. */
function buffersOf({ inputs }: InferRequest): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const tensor of inputs)
    if (tensor.datatype !== 'BYTES') buffers.add(tensor.data.buffer as ArrayBuffer);
  return [...buffers];
}

if (parentPort && (workerData as { readonly glacis?: string } | null)?.glacis === 'decode') {
  const port = parentPort;
  port.on('message', ({ id, body, jsonLength }: DecodeTask) => {
    try {
      const request = decodeInferRequest({ body, jsonLength });
      port.postMessage({ id, request } satisfies DecodeReply, buffersOf(request));
    } catch (thrown) {
      const { message } = asGlacisError(thrown, 'request/invalid', 'request');
      port.postMessage({ id, refused: message } satisfies DecodeReply);
    }
  });
}
