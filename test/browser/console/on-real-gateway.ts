import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { openLab } from '../../../src/cli/lab/open-lab.ts';
import { renderSplit, SIGN_SHAPE } from '../../../src/data/traffic-signs/render.ts';
import { readServe } from '../../../src/gateway/config/read-serve.ts';
import type { Detail } from '../../../src/gateway/detail.ts';
import { openGateway, type RunningGateway } from '../../../src/gateway/open-gateway.ts';
import { complaintsOf, openBrowser, settled } from './open-browser.ts';

/** Somebody who is signed in, in a browser context of their own. */
export interface Person {
  readonly page: Page;
  /** What the page complained of so far. */
  readonly complaints: readonly string[];
  /** Opens a path of the console, and waits until it shows what it has. */
  open(path: string): Promise<void>;
}

/** What came back of a question to a model. */
export interface Answer {
  readonly status: number;
  /** Seconds, of a refusal that ends. */
  readonly retryAfter: number | undefined;
  /** The words of a refusal. */
  readonly error: string | undefined;
  /** The version that answered, as it says. */
  readonly version: string | undefined;
  /** Empty where nothing was answered. */
  readonly scores: readonly number[];
}

/** What a test meets: a browser, and a gateway that really serves. */
export interface OnRealGateway {
  /** Where the gateway's configuration starts from; removed afterwards. */
  folder: string;
  gateway: RunningGateway;
  /** A new key of somebody; with `roles` also for the management side. */
  keyed(
    principal: string,
    more?: { readonly tenant?: string; readonly roles?: readonly string[]; readonly detail?: Detail },
  ): Promise<{ readonly text: string; readonly id: string }>;
  /** Signs somebody in as an admin, with a one-time link. */
  signIn(principal: string): Promise<Person>;
  /** Asks the management side as a program, and expects an answer. */
  manage<T>(path: string, key: string, body?: object): Promise<T>;
  /** Asks `signs`, or another model of the same inputs, about one picture, as any client would. */
  ask(
    key: string,
    picture: Float32Array,
    of?: { readonly model?: string; readonly version?: string },
  ): Promise<Answer>;
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
    async keyed(principal, { tenant = 'local', roles, detail = 'scores' } = {}) {
      const scope = { models: ['*'], operations: ['infer', 'metadata', 'ready'], detail } as const;
      const { text, record } = await on.gateway.keys.create(
        { principal, tenant, ...(roles && { roles }), scope },
        { id: 'test', mayGrant: true },
      );
      return { text, id: record.id };
    },
    async manage<T>(path: string, key: string, body?: object) {
      const answer = await fetch(`${on.gateway.addresses.management}${path}`, {
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        ...(body && { method: 'POST', body: JSON.stringify(body) }),
      });
      expect(answer.ok, `${path}: ${answer.status}`).toBe(true);
      return (await answer.json()) as T;
    },
    async signIn(principal) {
      const url = on.gateway.addresses.management;
      const { text } = await on.keyed(principal, { roles: ['admin'] });
      const link = await on.manage<{ readonly url: string }>('/api/session/links', text, {});
      const context = await browser!.newContext({
        viewport: { width: 1280, height: 900 },
        reducedMotion: 'reduce',
      });
      const page = await context.newPage();
      const complaints = complaintsOf(page, url);
      await page.goto(link.url);
      await page.getByRole('navigation', { name: 'Pages' }).first().waitFor();
      return {
        ...{ page, complaints },
        async open(path) {
          await page.goto(`${url}/console${path}`);
          await settled(page);
        },
      };
    },
    async ask(key, picture, { model = 'signs', version } = {}) {
      const place = `${model}${version === undefined ? '' : `/versions/${version}`}`;
      const answer = await fetch(`${on.gateway.addresses.rest}/v2/models/${place}/infer`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          inputs: [{ name: 'input', datatype: 'FP32', shape: [1, ...SIGN_SHAPE], data: [...picture] }],
        }),
      });
      const said = (await answer.json()) as {
        readonly error?: string;
        readonly model_version?: string;
        readonly outputs?: readonly { readonly data: readonly number[] }[];
      };
      const wait = answer.headers.get('retry-after');
      return {
        ...{ status: answer.status, error: said.error, version: said.model_version },
        retryAfter: wait === null ? undefined : Number(wait),
        scores: said.outputs?.[0]?.data ?? [],
      };
    },
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
