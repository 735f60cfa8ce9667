import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../../test/until.ts';
import type { Alarm } from '../alarm.ts';
import { sighting } from '../sighting.fixture.ts';
import type { MonitoredModel } from './monitored-model.ts';
import {
  type Monitors,
  type MonitorsSetting,
  type MonitorsSurroundings,
  openMonitors,
} from './open-monitors.ts';

const SETTING: MonitorsSetting = {
  kinds: {},
  only: {},
  calibration: {},
  sketch: { samples: 8, perSecond: 1000 },
};
const MODEL: MonitoredModel = {
  model: 'digits',
  version: '1',
  digest: 'sha256:1',
  classes: 10,
  sampleDims: [1, 28, 28],
};

let folder: string;
let monitors: Monitors;
let alarms: Alarm[];
/** What else is done when an alarm comes, before anything else happens. */
let heard: () => void;
const open = (setting = SETTING, more: Partial<MonitorsSurroundings> = {}) =>
  openMonitors(setting, {
    folder,
    describe: (model) => {
      return model === 'digits' ? MODEL : undefined;
    },
    onAlarm(alarm) {
      alarms.push(alarm);
      heard();
    },
    failed: () => {},
    // However long the machine stands still.
    patience: 100_000,
    kindsFrom: new URL('./kinds.fixture.ts', import.meta.url).href,
    ...more,
  });
const countOf = async () =>
  (await monitors.states('digits')).find(({ monitor }) => monitor === 'counting')?.score;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'glacis-monitors-'));
  [alarms, heard] = [[], () => {}];
  monitors = open();
});
afterEach(async () => {
  await monitors.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('the thread of the monitors', () => {
  test('sees every call once, and tells its alarms', async () => {
    const eve = sighting({ principal: 'eve' });
    for (const each of [sighting(), eve, sighting(), eve]) monitors.see(each);
    await monitors.flush();
    expect(await countOf()).toBe(3);
    expect(alarms.map(({ principals }) => principals)).toEqual([['eve']]);
    expect(monitors.counts()).toMatchObject({ seen: 4, dropped: 0, restarts: 0 });
  });

  test('knows only models that are served, and does not gather names of others', async () => {
    for (let i = 0; i < 600; i++) monitors.see(sighting({ model: `no-model-${i}`, digest: undefined }));
    monitors.see(sighting({ digest: undefined, outcome: 'throttled' }));
    await monitors.flush();
    expect((await monitors.states()).map(({ model }) => model)).toEqual(['digits', 'digits']);
    expect(await countOf()).toBe(1);
  });

  test('sketches the first samples of a call, and shows them as pictures', async () => {
    const x = new Float32Array(20 * 784).fill(0.25);
    monitors.see(sighting({ n: 20, top: [[7, 0.9]] }), x);
    await monitors.flush();
    expect(monitors.counts().sketched).toBe(8);
    const [sample] = await monitors.samples('digits');
    expect(sample).toMatchObject({ label: 7, score: 0.9, principal: 'ann' });
    expect(sample!.picture).toMatchObject({ width: 8, height: 8, channels: 1 });
    expect(sample!.picture!.values[0]).toBeCloseTo(0.25, 6);
  });

  test('a monitor that throws is stopped and reported, the others go on', async () => {
    monitors.see(sighting({ principal: 'bomb' }));
    monitors.see(sighting());
    await monitors.flush();
    monitors.see(sighting());
    await monitors.flush();
    expect(await countOf()).toBe(3);
    expect(alarms).toMatchObject([{ kind: 'fault', monitor: 'fragile' }]);
    expect(await monitors.states('digits')).toContainEqual(
      expect.objectContaining({ monitor: 'fragile', phase: 'blind', because: 'stopped: boom' }),
    );
  });

  test('what is remembered survives a restart, in a file of its owner alone', async () => {
    for (let i = 0; i < 5; i++) monitors.see(sighting());
    await monitors.close();
    const [file] = readdirSync(folder);
    expect(statSync(join(folder, file!)).mode & 0o777).toBe(0o600);
    monitors = open();
    monitors.see(sighting());
    await monitors.flush();
    expect(await countOf()).toBe(6);
  });

  test('a damaged snapshot is none', async () => {
    monitors.see(sighting());
    await monitors.close();
    for (const file of readdirSync(folder)) writeFileSync(join(folder, file), 'nonsense');
    monitors = open();
    monitors.see(sighting());
    await monitors.flush();
    expect(await countOf()).toBe(1);
  });

  test('other options are taken up with what was remembered', async () => {
    monitors.see(sighting());
    await monitors.flush();
    monitors.reload({ ...SETTING, kinds: { counting: { step: 10 } }, only: { digits: { fragile: 'off' } } });
    monitors.see(sighting());
    await monitors.flush();
    expect(await countOf()).toBe(11);
    expect(await monitors.states()).toHaveLength(1);
  });

  test('options that are none stop that monitor alone', async () => {
    monitors.reload({ ...SETTING, kinds: { counting: { stride: 10 } } });
    monitors.see(sighting());
    await monitors.flush();
    expect(alarms).toMatchObject([{ kind: 'fault', monitor: 'counting' }]);
  });

  test('a thread that dies is reported and started again; nothing throws meanwhile', async () => {
    for (let i = 0; i < 3; i++) monitors.see(sighting());
    await monitors.flush();
    monitors.see(sighting({ principal: 'crash' }));
    await monitors.flush();
    await until(() => alarms.length > 0);
    expect(alarms).toMatchObject([{ kind: 'fault', monitor: 'monitors' }]);
    monitors.see(sighting());
    await monitors.flush();
    expect(monitors.counts().dropped).toBe(1);
    expect(await monitors.states()).toEqual([]);
    await until(async () => {
      monitors.see(sighting());
      await monitors.flush();
      return Number(await countOf()) > 0;
    });
    expect(monitors.counts().restarts).toBe(1);
  });

  test('a thread that stands still is reported, ended and started again; who is served waits for nothing', async () => {
    await monitors.close();
    monitors = open(SETTING, { standstill: 300, patience: 50 });
    monitors.see(sighting());
    await monitors.flush();
    monitors.see(sighting({ principal: 'still' }));
    const flushed = monitors.flush();
    const before = performance.now();
    for (let i = 0; i < 1000; i++) monitors.see(sighting());
    expect(await monitors.states()).toEqual([]);
    expect(performance.now() - before).toBeLessThan(5000);
    await until(() => {
      monitors.see(sighting());
      return alarms.length > 0;
    });
    await flushed;
    expect(alarms).toMatchObject([{ kind: 'fault', monitor: 'monitors' }]);
    expect(alarms[0]!.why).toContain('it said nothing for');
    await until(async () => (await monitors.states('digits')).length > 0);
    expect(monitors.counts().restarts).toBe(1);
  });

  test('more than the thread can take is dropped and counted', async () => {
    for (let i = 0; i < 20_000; i++) monitors.see(sighting());
    await monitors.flush();
    const { seen, dropped } = monitors.counts();
    expect(seen).toBe(20_000);
    expect(dropped).toBeGreaterThan(0);
    expect(await countOf()).toBe(seen - dropped);
  });

  test('after the end nothing happens', async () => {
    await monitors.close();
    monitors.see(sighting());
    expect(await monitors.states()).toEqual([]);
    await monitors.flush();
    expect(monitors.counts().seen).toBe(0);
  });
});
