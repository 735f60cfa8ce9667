import { parseArgs } from 'node:util';
import { guardsSchema } from '../../src/gateway/guards/config-schema.ts';
import { openGuards } from '../../src/gateway/guards/open-guards.ts';
import type { ServedModel } from '../../src/gateway/served-model.ts';
import { elementCount } from '../../src/onnx/tensor.ts';
import { startEngine } from '../../src/runtime/engine.ts';
import { rootDigest } from '../../src/supply/sign/manifest.ts';
import { readManifest } from '../../src/supply/sign/read-manifest.ts';
import { median } from '../median.ts';
import { passlessGuards } from '../suites/load-guards.ts';
import { networkNamed, picturesOf } from '../suites/request-bodies.ts';
import { openVictim } from './stateful/victim.ts';

/** Requests of one pass, and passes; the first three are not counted. */
const MOST = 8000;
const PASSES = 11;
const WARM = 3;

/**
 * Microseconds of processor time that each calibrated guard takes for a request of one sample, on one core: `node bench/ours/guard-costs.ts mnist-cnn`, or `resnet18`. The median of
 * eight passes over the requests that `npm run bench -- gateway` sends; the model's answers are made before.
 */
async function main(): Promise<void> {
  const { positionals } = parseArgs({ allowPositionals: true, strict: true });
  const network = networkNamed(positionals[0] ?? 'mnist-cnn');
  const size = elementCount(network.shape);
  const n = Math.min(MOST, network.bodies, network.name === 'mnist-cnn' ? MOST : 2000);
  const x = picturesOf(network).subarray(0, n * size);
  const engine = startEngine({ threads: 1 });
  const victim = await openVictim(engine, network.file);
  const { scores, features } = await victim.look(x, n);
  const { classes, target } = victim;
  await victim.close();
  await engine.close();
  const classifier = {
    input: target.input,
    sampleDims: network.shape.slice(1),
    output: 'y',
    classes,
    gives: 'logits',
    features: victim.features,
  } as const;
  const { manifest } = await readManifest(network.file, {});
  const model: ServedModel = {
    name: 'm',
    version: '1',
    digest: `sha256:${rootDigest(manifest.resources)}`,
    metadata: { name: 'm', platform: 'onnx', inputs: [], outputs: [] },
    classifier,
    run: async () => ({ outputs: [] }),
  };
  const principal = { id: 'bench', tenant: 'bench', credential: 'k', kind: 'key', roles: [] } as const;
  const calls = Array.from({ length: n }, (_, i) => {
    const floats = x.subarray(i * size, (i + 1) * size);
    const said = scores.subarray(i * classes, (i + 1) * classes);
    return {
      ...{ model, classifier, principal, address: '192.0.2.7', n: 1, parameters: {}, now: 0 },
      inputs: [{ name: target.input, datatype: 'FP32', shape: network.shape, data: floats } as const],
      floats: () => floats,
      scores: () => said,
      features: features.subarray(i * victim.features, (i + 1) * victim.features),
    };
  });
  const setting = { model, ask: async () => new Float32Array(0), now: Date.now };
  const open = async () => openGuards(guardsSchema.parse(await passlessGuards(network)), setting);
  for (const [g, { name }] of (await open()).entries()) {
    const passes: number[] = [];
    let alarms = 0;
    for (let pass = 0; pass < PASSES; pass++) {
      // A guard that remembers has not seen these before.
      const guard = (await open())[g]!;
      alarms = 0;
      const before = process.cpuUsage();
      for (const call of calls) {
        const verdict = guard.judge(call);
        if (!(verdict instanceof Promise) && verdict.action !== 'pass') alarms++;
      }
      const { user, system } = process.cpuUsage(before);
      if (pass >= WARM) passes.push((user + system) / n);
    }
    console.log(
      `${name.padEnd(20)}${median(passes).toFixed(2).padStart(8)} µs${String(alarms).padStart(8)} of ${n} alarms`,
    );
  }
}

await main();
