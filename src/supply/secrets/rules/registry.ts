import type { SecretRule } from '../rule.ts';
import { ADDRESS_RULES } from './addresses.ts';
import { CLOUD_RULES } from './clouds.ts';
import { CODE_HOST_RULES } from './code-hosts.ts';
import { EXCHANGE_RULES } from './exchanges.ts';
import { GENERIC_RULES } from './generic.ts';
import { KEY_RULES } from './keys.ts';
import { ML_PLATFORM_RULES } from './ml-platforms.ts';
import { SERVICE_RULES } from './services.ts';

/** Every rule, by what it is about. Where two find the same, the first in this order is reported. */
export const SECRET_RULE_GROUPS: readonly (readonly [about: string, rules: readonly SecretRule[]])[] = [
  ['Models, hubs and trackers', ML_PLATFORM_RULES],
  ['Clouds and platforms', CLOUD_RULES],
  ['Code and packages', CODE_HOST_RULES],
  ['Messages, mail and payment', SERVICE_RULES],
  ['Exchanges and brokers', EXCHANGE_RULES],
  ['Private keys and signed tokens', KEY_RULES],
  ['Addresses with passwords', ADDRESS_RULES],
  ['By name only', GENERIC_RULES],
];

/** Every rule. */
export const SECRET_RULES: readonly SecretRule[] = SECRET_RULE_GROUPS.flatMap(([, rules]) => rules);
