import { expect } from 'vitest';
import type { Detail } from '../../../src/gateway/detail.ts';
import type { RunningGateway } from '../../../src/gateway/open-gateway.ts';

/** What a key says beside whose it is. */
export interface KeyedBy {
  readonly tenant?: string;
  /** For the management side. */
  readonly roles?: readonly string[];
  readonly detail?: Detail;
}

/** A new key of somebody. */
export async function keyOf(
  gateway: RunningGateway,
  principal: string,
  { tenant = 'local', roles, detail = 'scores' }: KeyedBy = {},
): Promise<{ readonly text: string; readonly id: string }> {
  const scope = { models: ['*'], operations: ['infer', 'metadata', 'ready'], detail } as const;
  const { text, record } = await gateway.keys.create(
    { principal, tenant, ...(roles && { roles }), scope },
    { id: 'test', mayGrant: true },
  );
  return { text, id: record.id };
}

/** Asks a gateway's management side as a program, and expects an answer. */
export async function manage<T>(
  { addresses }: RunningGateway,
  path: string,
  key: string,
  body?: object,
): Promise<T> {
  const answer = await fetch(`${addresses.management}${path}`, {
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
  });
  expect(answer.ok, `${path}: ${answer.status}`).toBe(true);
  return (await answer.json()) as T;
}

/** A one-time link that signs somebody in as an admin. */
export async function linkFor(gateway: RunningGateway, principal: string): Promise<string> {
  const { text } = await keyOf(gateway, principal, { roles: ['admin'] });
  return (await manage<{ readonly url: string }>(gateway, '/api/session/links', text, {})).url;
}
