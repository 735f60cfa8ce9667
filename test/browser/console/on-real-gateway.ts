import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { openLab } from '../../../src/cli/lab/open-lab.ts';
import { renderSplit } from '../../../src/data/traffic-signs/render.ts';
import { readServe } from '../../../src/gateway/config/read-serve.ts';
import { openGateway, type RunningGateway } from '../../../src/gateway/open-gateway.ts';
import { type Answer, type Asked, askModel } from './ask-model.ts';
import { type KeyedBy, keyOf, linkFor, manage } from './client-keys.ts';
import { openBrowser } from './open-browser.ts';
import { type Person, signInWith } from './sign-in.ts';

/** What a test meets: a browser, and a gateway that really serves. */
export interface OnRealGateway {
  /** Where the gateway's configuration starts from; removed afterwards. */
  folder: string;
  gateway: RunningGateway;
  /** A new key of somebody; with `roles` also for the management side. */
  keyed(principal: string, more?: KeyedBy): Promise<{ readonly text: string; readonly id: string }>;
  /** Signs somebody in as an admin, with a one-time link. */
  signIn(principal: string): Promise<Person>;
  /** Asks the management side as a program, and expects an answer. */
  manage<T>(path: string, key: string, body?: object): Promise<T>;
  /** Asks `signs`, or another model of the same inputs, about one picture, as any client would. */
  ask(key: string, picture: Float32Array, of?: Asked): Promise<Answer>;
}

/** A sign that nobody was trained on, in [0, 1]. */
export function sign(i: number): Float32Array {
  const { x } = renderSplit({ seed: 3, split: 'test', n: 1, start: i });
  return Float32Array.from(x, (value) => value / 255);
}

/** Half one sign and half another: no model is sure of it. */
export function doubtful(i: number): Float32Array {
  const other = sign(2 * i + 1);
  return sign(2 * i).map((value, k) => (value + other[k]!) / 2);
}

/** Opens a browser and a gateway for the tests of a `describe`, and closes them after it. `prepare` gives `serve` of the configuration, which is asked for again at each reload. */
export function onRealGateway(prepare: (folder: string) => Promise<() => object>): OnRealGateway {
  let browser: Browser | undefined;
  const on: OnRealGateway = {
    // Both are there before the first test.
    ...{ folder: '', gateway: undefined as never },
    keyed: (principal, more) => keyOf(on.gateway, principal, more),
    manage: (path, key, body) => manage(on.gateway, path, key, body),
    async signIn(principal) {
      const { management } = on.gateway.addresses;
      return signInWith(browser!, await linkFor(on.gateway, principal), management);
    },
    ask: (key, picture, of) => askModel(on.gateway.addresses.rest, key, picture, of),
  };
  beforeAll(async () => {
    on.folder = await mkdtemp(join(tmpdir(), 'glacis-real-'));
    const serve = await prepare(on.folder);
    const read = () => readServe(JSON.stringify({ serve: serve() }), 'test');
    const { config } = read();
    browser = await openBrowser();
    on.gateway = await openGateway({
      ...{ config, dataFolder: join(on.folder, 'data'), folder: on.folder, env: process.env },
      home: homedir(),
      reread: async () => ({ config: read().config }),
      lab: openLab(config.console.lab, { placeOf: (path) => path }),
    });
    expect(on.gateway.notLoaded).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    // Undefined where it could not be opened.
    await (on.gateway as RunningGateway | undefined)?.drain();
    if (on.folder !== '') await rm(on.folder, { recursive: true, force: true });
  });
  return on;
}
