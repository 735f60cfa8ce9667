import { readFile } from 'node:fs/promises';
import { asGlacisError, GlacisError } from '../../core/error.ts';
import type { Channel, Connect, Transmit } from './channel.ts';
import { cloudevents } from './channels/cloudevents.ts';
import { email } from './channels/email.ts';
import { ocsf } from './channels/ocsf.ts';
import { pagerduty } from './channels/pagerduty.ts';
import { slack } from './channels/slack.ts';
import { webhook } from './channels/webhook.ts';
import type { ChannelConfig, SecretPlace } from './config-schema.ts';

/** What channels need from outside. */
export interface ChannelSurroundings {
  readonly transmit: Transmit;
  readonly connect: Connect;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where a path of the configuration leads. */
  readonly placeOf: (path: string) => string;
  /** The console's address: what events come from, and where links lead. */
  readonly address: string;
}

/** Opens a receiver: its secrets are read now, and shown nowhere. Errors: `option/invalid` where a secret is not there or the configuration cannot work. */
export async function openChannel(config: ChannelConfig, given: ChannelSurroundings): Promise<Channel> {
  const { transmit, connect, placeOf, address } = given;
  const secret = (place: SecretPlace) => secretAt(place, config.name, given);
  const networks = { loopback: config.insecureLoopback, private: config.privateNetwork };
  const ca = config.ca === undefined ? undefined : await read(placeOf(config.ca), config.name);
  if (config.kind === 'email') {
    const { host, port, tls, user, password, from, to } = config;
    const word = password === undefined ? undefined : await secret(password);
    return email({ ...{ host, port, tls, ca, networks, user, from, to }, password: word }, connect);
  }
  const place = { url: typeof config.url === 'string' ? config.url : await secret(config.url), networks, ca };
  switch (config.kind) {
    case 'webhook':
      return webhook(place, await Promise.all(config.keys.map(secret)), transmit);
    case 'slack':
      return slack(place, transmit);
    case 'pagerduty':
      return pagerduty(place, await secret(config.routingKey), transmit);
    case 'cloudevents':
      return cloudevents(place, address, config.token && (await secret(config.token)), transmit);
    case 'ocsf':
      return ocsf(place, address, config.token && (await secret(config.token)), transmit);
  }
}

async function secretAt(
  place: SecretPlace,
  name: string,
  { env, placeOf }: ChannelSurroundings,
): Promise<string> {
  const text = ('env' in place ? env[place.env] : await read(placeOf(place.file), name))?.trim() ?? '';
  if (text === '' || /[^\x20-\x7e]/.test(text))
    throw new GlacisError(
      'option/invalid',
      `serve.alerts: ${name}: expected a secret on one line in ${'env' in place ? place.env : place.file}, got ${text === '' ? 'none' : 'something else'}`,
    );
  return text;
}

async function read(path: string, name: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    throw asGlacisError(thrown, 'option/invalid', `serve.alerts: ${name}`);
  }
}
