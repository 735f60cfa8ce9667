import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAssessment } from '../../src/assess/index.ts';
import { writeNpz } from '../../src/data/index.ts';
import { serializeModel } from '../../src/onnx/write.ts';
import { openRemote } from '../../src/runtime/index.ts';
import { glacis } from './cli.ts';
import { type Serving, startServing } from './serving.ts';
import { linearModel } from './small-models.ts';

const INPUT = { name: 'x', datatype: 'FP32', shape: [1, 4], data: [1, 2, 3, 4] };
const PATH = '/v2/models/net/infer';

let folder: string;
let serving: Serving;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-serve-'));
  await writeFile(join(folder, 'net.onnx'), serializeModel(linearModel()));
  serving = await startServing(folder, ['net.onnx', '--data-dir', 'data']);
});
afterAll(async () => {
  await serving.stop('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

describe('glacis serve MODEL', () => {
  it('answers who has the key: probabilities, not logits', async () => {
    const answer = await serving.ask(PATH, { id: 'a', inputs: [INPUT] });
    expect(answer.status).toBe(200);
    const { id, model_version, outputs } = (await answer.json()) as {
      id: string;
      model_version: string;
      outputs: { name: string; shape: number[]; data: number[] }[];
    };
    expect([id, model_version, outputs[0]!.name, outputs[0]!.shape]).toEqual(['a', '1', 'logits', [1, 3]]);
    expect(outputs[0]!.data.reduce((a, b) => a + b)).toBeCloseTo(1, 3);
  });

  it('understands the line that it shows', async () => {
    const line = /curl .*-d @(\S+)/.exec(serving.stdout())!;
    const body: unknown = JSON.parse(await readFile(line[1]!, 'utf8'));
    const answer = await serving.ask(PATH, body, { 'content-type': 'application/x-www-form-urlencoded' });
    expect(answer.status).toBe(200);
  });

  it('refuses others, and says the same of what is not there and of what is not allowed', async () => {
    const others = await serving.ask(PATH, { inputs: [INPUT] }, { authorization: 'Bearer nonsense' });
    expect(others.status).toBe(401);
    const unknown = await serving.ask('/v2/models/other/infer', { inputs: [INPUT] });
    expect([unknown.status, await unknown.json()]).toEqual([
      404,
      { error: 'no such model or operation for these credentials' },
    ]);
  });

  it('gives a receipt that is checked without the server', async () => {
    const answer = await serving.ask(PATH, { inputs: [INPUT] }, { 'glacis-receipt': '1' });
    const said = JSON.stringify(await answer.json());
    const receipt = /"glacis-receipt":"((?:[^"\\]|\\.)*)"/.exec(said)![1]!;
    await writeFile(join(folder, 'receipt'), JSON.parse(`"${receipt}"`) as string);
    const checked = await glacis(
      ['log', 'prove', '--check', 'receipt', '--trust', 'data/record/log.trust.json'],
      { cwd: folder },
    );
    expect(checked.code).toBe(0);
  });

  it('describes what it serves', async () => {
    const described = await serving.ask('/v2/models/net');
    expect([described.status, await described.json()]).toMatchObject([
      200,
      { name: 'net', inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }] },
    ]);
    expect((await serving.ask('/v2/models/net/ready')).status).toBe(200);
  });

  it('answers over gRPC as over REST, and is attacked that way', async () => {
    const addresses = [`${serving.rest}${PATH}`, `grpc://${serving.grpc}${PATH}`].map((url) =>
      url.replace(/\/infer$/, ''),
    );
    const x = Float32Array.from({ length: 40 }, (_, i) => ((i * 7) % 11) / 10);
    const answers = await Promise.all(
      addresses.map(async (url) => {
        const oracle = await openRemote(url, { token: serving.key, batch: 4 });
        const scores = await oracle.ask(x, 10);
        await oracle.close();
        return scores;
      }),
    );
    expect(answers[1]).toEqual(answers[0]);
    const y = Int32Array.from({ length: 10 }, (_, i) => {
      const row = [...answers[0]!.subarray(3 * i, 3 * i + 3)];
      return row.indexOf(Math.max(...row));
    });
    await writeNpz(join(folder, 'data.npz'), { x: { data: x, shape: [10, 4] }, y: { data: y, shape: [10] } });
    const assessed = await glacis(
      [
        ...['assess', addresses[1]!, '--data', 'data.npz', '--range', '0,1', '--eps', '0.5'],
        ...['--header', `authorization=Bearer ${serving.key}`, '--attacks', 'square(queries=20)'],
      ],
      { cwd: folder },
    );
    expect(assessed.code, assessed.stderr).toBe(0);
    const result = await readFile(join(folder, 'glacis-out/assessment.json'), 'utf8');
    expect(parseAssessment(result).results[0]).toMatchObject({ n: 10, cleanAccuracy: 1 });
    expect(result).not.toContain(serving.key);
  });

  it('writes its key for its owner alone, and keeps it', async () => {
    expect((await stat(join(folder, 'key'))).mode & 0o777).toBe(0o600);
    expect(serving.stdout()).not.toContain(serving.key);
  });

  it('is managed elsewhere, by who has the right', async () => {
    expect((await serving.manage('/health')).status).toBe(200);
    expect((await fetch(`${serving.management}/health`)).status).toBe(401);
    expect((await fetch(`${serving.management}/health/live`)).status).toBe(200);
    expect((await serving.ask('/health')).status).toBe(404);
    const made = await serving.manage('/api/keys', { principal: 'bob', tenant: 'acme', detail: 'label' });
    const { key } = (await made.json()) as { key: string };
    const asBob = { authorization: `Bearer ${key}` };
    const answer = await serving.ask(PATH, { inputs: [INPUT] }, asBob);
    const { outputs } = (await answer.json()) as { outputs: { data: number[] }[] };
    expect([...outputs[0]!.data].sort()).toEqual([0, 0, 1]);
    expect((await fetch(`${serving.management}/api/models`, { headers: asBob })).status).toBe(404);
    const metrics = await (await serving.manage('/metrics')).text();
    expect(metrics).toContain('glacis_decisions_total{model="net",outcome="answered",detail="label"} 1');
  });

  it('remembers keys and decisions over a restart, and its log verifies', async () => {
    expect(await serving.stop()).toBe(0);
    const before = serving.key;
    serving = await startServing(folder, ['net.onnx', '--data-dir', 'data']);
    expect(serving.key).toBe(before);
    expect((await serving.ask(PATH, { inputs: [INPUT] })).status).toBe(200);
    const verified = await glacis(['log', 'verify', 'data/record'], { cwd: folder });
    expect([verified.code, verified.stdout]).toEqual([0, expect.stringMatching(/^ok: \d+ entries/)]);
  });

  it('loses nothing that it acknowledged when it is killed', async () => {
    const ids = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const answer = await serving.ask(PATH, { inputs: [INPUT] });
        return answer.headers.get('glacis-decision');
      }),
    );
    await serving.stop('SIGKILL');
    serving = await startServing(folder, ['net.onnx', '--data-dir', 'data']);
    const exported = await glacis(['log', 'export', 'data/record', '--out', 'log.jsonl'], { cwd: folder });
    expect(exported.code).toBe(0);
    const lines = await readFile(join(folder, 'log.jsonl'), 'utf8');
    for (const id of ids) expect(lines).toContain(id);
  });
});

describe('a model that must be signed', () => {
  it('is not served without the signature, and is with it', async () => {
    const place = await mkdtemp(join(tmpdir(), 'glacis-serve-'));
    try {
      await writeFile(join(place, 'net.onnx'), serializeModel(linearModel()));
      await glacis(['keygen', 'me.pem'], { cwd: place });
      const refused = await glacis(
        [
          'serve',
          'net.onnx',
          '--trust',
          'me.pub',
          '--port',
          '0',
          '--grpc-port',
          '0',
          '--management-port',
          '0',
        ],
        { cwd: place },
      );
      expect(refused.code).toBe(1);
      expect(refused.stdout).toContain('Not served  net');
      const signed = await glacis(
        ['sign', 'key', 'net.onnx', '--private-key', 'me.pem', '--signature', 'net.onnx.sig'],
        { cwd: place },
      );
      expect(signed.code).toBe(0);
      const good = await startServing(place, ['net.onnx', '--trust', 'me.pub']);
      expect(good.stdout()).toMatch(/signature: /);
      expect(await good.stop()).toBe(0);
    } finally {
      await rm(place, { recursive: true, force: true });
    }
  });
});
