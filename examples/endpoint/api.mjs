/**
 * A classifier behind a JSON API of its own, to try `adapter.mjs` on: `POST /classify` with `{"images": [[3072 numbers], …]}`, at most 16
 * at once, answers `{"probabilities": [[16 numbers], …]}`. Run: `node examples/endpoint/api.mjs [PORT]`.
 */
import { createServer } from 'node:http';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** Starts the API on this machine; resolves to the server once it listens. */
export async function startApi(port) {
  const model = fileURLToPath(new URL('../traffic-signs/traffic-signs.onnx', import.meta.url));
  const session = await InferenceSession.create(model);
  const server = createServer(async (request, response) => {
    try {
      if (request.method !== 'POST' || request.url !== '/classify')
        throw new Error('expected POST /classify');
      const { images } = JSON.parse(await bodyOf(request));
      if (images.length > 16) throw new Error(`expected at most 16 images, got ${images.length}`);
      const input = new Tensor('float32', Float32Array.from(images.flat()), [images.length, 3, 32, 32]);
      const { logits } = await session.run({ input });
      const probabilities = images.map((_, i) => softmax(logits.data.subarray(16 * i, 16 * (i + 1))));
      response.end(JSON.stringify({ probabilities }));
    } catch (error) {
      response.writeHead(400).end(JSON.stringify({ error: error.message }));
    }
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}

function softmax(logits) {
  const most = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp(logit - most));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

async function bodyOf(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > 2 ** 21) throw new Error('expected at most 2 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const { port } = (await startApi(Number(argv[2] ?? 8089))).address();
  console.log(`http://127.0.0.1:${port}/classify`);
}
