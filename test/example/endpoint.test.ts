import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { renderSplit } from '../../src/data/traffic-signs/render.ts';
import { openAdapter } from '../../src/runtime/adapter.ts';
import { ROOT } from '../house/tree.ts';

const folder = join(ROOT, 'examples/endpoint');
let server: Server;
let port: number;
beforeAll(async () => {
  server = await (await import(join(folder, 'api.mjs'))).startApi(0);
  port = (server.address() as AddressInfo).port;
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await new Promise((resolve) => server.close(resolve));
});

it("the example's adapter asks the example's API, which knows most traffic signs", async () => {
  vi.stubEnv('CLASSIFY_URL', `http://127.0.0.1:${port}/classify`);
  const oracle = await openAdapter(join(folder, 'adapter.mjs'));
  const { x, y } = renderSplit({ seed: 5, split: 'test', n: 16 });
  const answers = await oracle.ask(
    Float32Array.from(x, (pixel) => pixel / 255),
    16,
  );
  const rows = Array.from(y, (_, i) => [...answers.subarray(16 * i, 16 * (i + 1))]);
  for (const row of rows) expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
  const right = rows.filter((row, i) => row.indexOf(Math.max(...row)) === y[i]).length;
  expect(right).toBeGreaterThanOrEqual(14);
});

it('what the API refuses reaches the user', async () => {
  vi.stubEnv('CLASSIFY_URL', `http://127.0.0.1:${port}/other`);
  const oracle = await openAdapter(join(folder, 'adapter.mjs'));
  await expect(oracle.ask(new Float32Array(3072), 1)).rejects.toMatchObject({
    code: 'endpoint/unavailable',
    message: expect.stringContaining('status 400: {"error":"expected POST /classify"}'),
  });
});
