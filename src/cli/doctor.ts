import { spawnSync } from 'node:child_process';
import { constants, existsSync } from 'node:fs';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, cpus, freemem, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environmentOf } from '../assess/environment.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { f32 } from '../runtime/array.ts';
import { availableDevices, type Device, deviceFrom } from '../runtime/device.ts';
import { startEngine } from '../runtime/engine.ts';
import { blockSizeOf } from '../runtime/layout.ts';
import { type Command, EXIT } from './command.ts';
import { prepareFile, writeText } from './output.ts';

/** One thing that was looked at. */
interface Check {
  readonly name: string;
  readonly good: boolean;
  /** Whether Glacis works without it. */
  readonly optional: boolean;
  readonly found: string;
}

/** `glacis doctor`: what this machine has, which engines run. */
export const command: Command = {
  usage: 'doctor [--device DEVICE] [--json FILE]',
  about: 'Looks at what this machine has and runs a tiny graph on every device that the runtime knows.',
  options: {
    device: { value: 'DEVICE', help: 'look at this device only' },
    json: { value: 'FILE', help: 'the same as JSON' },
  },
  examples: [['glacis doctor', 'before the first assessment, or when something does not work']],
  async run({ given, terminal }) {
    const json = given.text('json');
    if (json !== undefined) await prepareFile(json);
    const only = given.text('device');
    const checks: Check[] = [];
    if (only !== undefined) checks.push({ ...(await deviceCheck(deviceFrom(only))), optional: false });
    else {
      checks.push(await nodeCheck(), await deviceCheck('cpu'));
      for (const device of availableDevices()) if (device !== 'cpu') checks.push(await apartCheck(device));
      checks.push(await temporaryCheck(), exampleCheck());
    }
    const good = checks.every((c) => c.good || c.optional);
    if (json !== undefined)
      await writeText(json, `${JSON.stringify({ schema: 'glacis.doctor/1', good, checks }, null, 2)}\n`);
    const wide = Math.max(...checks.map((c) => c.name.length));
    const mark = (c: Check) => (c.good ? 'ok  ' : c.optional ? '–   ' : 'BAD ');
    terminal.print(
      `${checks.map((c) => `${mark(c)} ${c.name.padEnd(wide)}  ${c.found}`).join('\n')}\n\n${
        good ? 'Glacis works here.' : 'Something that Glacis needs is missing: see above.'
      }\n`,
    );
    return good ? EXIT.good : EXIT.unfinished;
  },
};

async function nodeCheck(): Promise<Check> {
  const major = Number(process.versions.node.split('.')[0]);
  const memory = `${(totalmem() / 2 ** 30).toFixed(1)} GiB of memory, ${(freemem() / 2 ** 30).toFixed(1)} free`;
  return {
    name: 'node',
    good: major >= 24,
    optional: false,
    found: `${process.versions.node} on ${process.platform}-${process.arch}, ${availableParallelism()} threads (${cpus()[0]?.model.trim() || 'unknown processor'}), ${memory}`,
  };
}

async function deviceCheck(device: Device): Promise<Check> {
  const engine = startEngine({ device });
  try {
    const builder = new GraphBuilder();
    const x = builder.input('x', 'float32', [2]);
    const session = await engine.open(builder.build({ y: builder.add('Add', [x, x])[0]! }));
    const { y } = await session.run({ x: f32(Float32Array.of(1, 2), [2]) });
    await session.close();
    const right = y?.data[0] === 2 && y.data[1] === 4;
    const { onnxruntime } = environmentOf(engine);
    const block = device === 'cpu' ? await blockSizeOf(engine) : 0;
    const layout =
      device !== 'cpu'
        ? ''
        : block > 0
          ? `, convolutions in blocks of ${block} channels`
          : ', no blocked layout';
    return {
      name: device,
      good: right,
      optional: device !== 'cpu',
      found: right ? `ONNX Runtime ${onnxruntime}${layout}` : 'gives wrong results',
    };
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message.split('\n')[0]! : String(thrown);
    return {
      name: device,
      good: false,
      optional: device !== 'cpu',
      found: `does not start: ${reason.slice(0, 160)}`,
    };
  } finally {
    await engine.close();
  }
}

/** Looks at a device in a process of its own: its driver may print, hang or crash. */
async function apartCheck(device: Device): Promise<Check> {
  const folder = await mkdtemp(join(tmpdir(), 'glacis-doctor-'));
  try {
    const json = join(folder, 'device.json');
    const launcher = fileURLToPath(new URL('../../bin/glacis.mjs', import.meta.url));
    spawnSync(process.execPath, [launcher, 'doctor', '--device', device, '--json', json], {
      stdio: 'ignore',
      timeout: 20_000,
    });
    const report = JSON.parse(await readFile(json, 'utf8')) as { readonly checks: readonly [Check] };
    return { ...report.checks[0], optional: true };
  } catch {
    return { name: device, good: false, optional: true, found: 'does not start: it ended the process' };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function temporaryCheck(): Promise<Check> {
  const folder = tmpdir();
  const good = await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
  return {
    name: 'temporary folder',
    good,
    optional: false,
    found: `${folder}${good ? '' : ' cannot be written'}`,
  };
}

function exampleCheck(): Check {
  const url = new URL('../../examples/traffic-signs/', import.meta.url);
  const good = existsSync(url);
  return {
    name: 'example',
    good,
    optional: true,
    found: good
      ? 'the traffic-sign example is there'
      : 'the traffic-sign example is not here; glacis demo needs it',
  };
}
