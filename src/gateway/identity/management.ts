import { asGlacisError } from '../../core/error.ts';
import type { Principal } from '../principal.ts';
import type { RightsConfig } from './config-schema.ts';
import { plainAddress } from './network-address.ts';
import type { RightsSurroundings } from './open-rights.ts';
import { becauseOf, openPolicySet, type PolicySet } from './policy-set.ts';

/** Roles of the management side that the default policies know. */
export const MANAGEMENT_ROLES = ['operator', 'auditor', 'reviewer', 'admin'] as const;

/** One of {@link MANAGEMENT_ROLES}. */
export type ManagementRole = (typeof MANAGEMENT_ROLES)[number];

interface ActionFacts {
  /** What it is, in a few words. */
  readonly about: string;
  /** Whether it shows how things are, shows what callers sent or all that is kept, or changes something. */
  readonly kind: 'read' | 'disclose' | 'change';
  /** Who may do it by default, besides `admin`. */
  readonly roles: readonly Exclude<ManagementRole, 'admin'>[];
}

const read = (about: string, ...roles: ActionFacts['roles']): ActionFacts => ({ about, kind: 'read', roles });
const disclose = (about: string, ...roles: ActionFacts['roles']): ActionFacts => ({
  about,
  kind: 'disclose',
  roles,
});
const change = (about: string, ...roles: ActionFacts['roles']): ActionFacts => ({
  about,
  kind: 'change',
  roles,
});

/**
 * Everything that may be done on the management side. Whoever runs the service does not decide reviews, whoever reviews does not run it, and whoever audits
 * changes nothing; giving roles, erasing a person and more budget are left to `admin`.
 */
export const MANAGEMENT_ACTIONS = {
  'health.read': read('whether each part is well', 'operator', 'auditor', 'reviewer'),
  'console.use': read('signing in to the console, and out', 'operator', 'auditor', 'reviewer'),
  'metrics.read': read('metrics', 'operator', 'auditor'),
  'config.read': read('the configuration in force', 'operator', 'auditor'),
  'log.read': read('the log of decisions: tiles, entries, search, receipts', 'auditor', 'reviewer'),
  'log.export': read('the log as a whole, to keep or hand on', 'auditor'),
  'log.payload': disclose('a decision with its decrypted inputs and outputs', 'reviewer'),
  'keys.list': read('keys, without secrets', 'operator', 'auditor'),
  'keys.create': change('a new key', 'operator'),
  'keys.rotate': change('a key in place of another', 'operator'),
  'keys.revoke': change('the end of a key', 'operator'),
  'roles.grant': change('roles, for a key that is made or rotated'),
  'principals.list': read('principals', 'operator', 'auditor'),
  'principals.shut-out': change(
    'no more service for a principal, whatever it presents; or service again',
    'operator',
  ),
  'models.list': read('models and versions', 'operator', 'auditor', 'reviewer'),
  'models.load': change('a version is loaded', 'operator'),
  'models.unload': change('a version is taken out', 'operator'),
  'models.promote': change('a version goes into service, whole, as a canary or as a shadow', 'operator'),
  'models.rollback': change('the version before goes back into service', 'operator'),
  'policy.read': read('the policies in force', 'operator', 'auditor'),
  'policy.reload': change('changed configuration and policies go into force', 'operator'),
  'guards.read': read('guards, thresholds and their rates', 'operator', 'auditor', 'reviewer'),
  'monitors.read': read('how the monitors stand', 'operator', 'auditor', 'reviewer'),
  'labels.add': change('true labels of past decisions, told later', 'operator', 'reviewer'),
  'guards.change': change("a guard's threshold or action", 'operator'),
  'limits.read': read('rate limits', 'operator', 'auditor'),
  'budgets.read': read('what is used and left of budgets', 'operator', 'auditor', 'reviewer'),
  'budgets.change': change('more or less budget'),
  'reviews.list': read('decisions that are held', 'reviewer', 'auditor'),
  'reviews.decide': change('a decision about one of them', 'reviewer'),
  'incident.read': read('incidents', 'operator', 'auditor', 'reviewer'),
  'incident.open': change('a new incident', 'operator', 'reviewer'),
  'incident.act': change('throttle, label only, quarantine, roll back, freeze', 'operator'),
  'incident.close': change('the end of an incident', 'reviewer'),
  'assessments.read': read('assessments: results, comparisons, reports', 'operator', 'auditor', 'reviewer'),
  'lab.run': disclose(
    "attacks tried in the lab on a model's own file, beside the service",
    'operator',
    'auditor',
  ),
  'alerts.send': change('a test message, or again one that was given up', 'operator'),
  'subjects.erase': change("a person's key, so that what the log holds of them cannot be read any more"),
  'backup.create': disclose('a copy of store and log', 'operator'),
  'server.freeze': change('no answers until further notice; or answers again', 'operator'),
  'server.drain': change('an orderly end', 'operator'),
} as const satisfies Readonly<Record<string, ActionFacts>>;

/** A decision of the management side. */
export interface ManagementDecision {
  readonly isAllowed: boolean;
  /** Ids of the policies that decided. */
  readonly policies: readonly string[];
  /** For the log. */
  readonly because: string;
}

/** Rights on the management side: policies of their own over actions of their own, which no policy of the public side can give. */
export interface ManagementRights {
  /** Whether the principal may do this. An action that does not exist is nobody's. */
  may(principal: Principal, action: string, address: string): boolean;
  /** The same with the policies that decided. */
  decide(principal: Principal, action: string, address: string): ManagementDecision;
  /** Puts changed policy files in force, or keeps the old ones. Errors: `policy/invalid`. */
  reload(): Promise<void>;
  /** The first half of {@link reload}: reads and checks; the function that it gives puts them in force and cannot fail. */
  readonly prepare: PolicySet['prepare'];
  /** `sha256:` of the policies in force, for the log. */
  readonly digest: PolicySet['digest'];
  readonly policies: PolicySet['policies'];
  readonly problem: PolicySet['problem'];
}

const facts: readonly (readonly [string, ActionFacts])[] = Object.entries(MANAGEMENT_ACTIONS);

/** What policies of the management side may speak of, in Cedar's own schema language. */
export const MANAGEMENT_SCHEMA = `
entity Tenant;
entity Role;
/// Who asks. \`kind\` is key, token or certificate.
entity Operator in [Tenant, Role] = { kind: String, credential: String };
/// This gateway: \`Gateway::"gateway"\`.
entity Gateway;
/// \`address\` is the remote address (of a socket file: 127.0.0.1), \`now\` the time in UTC.
type Context = { address: ipaddr, now: datetime };

action "read", "disclose", "change", "for operator", "for auditor", "for reviewer";
${facts
  .map(([name, { kind, roles }]) => {
    const groups = [kind, ...roles.map((role) => `for ${role}`)].map((group) => `"${group}"`).join(', ');
    return `action "${name}" in [${groups}] appliesTo { principal: [Operator], resource: [Gateway], context: Context };`;
  })
  .join('\n')}
`;

/** The policies of the management side where none are given. */
export const DEFAULT_MANAGEMENT = `
@id("glacis/admin") permit (principal in Role::"admin", action, resource);
@id("glacis/operator") permit (principal in Role::"operator", action in Action::"for operator", resource);
@id("glacis/auditor") permit (principal in Role::"auditor", action in Action::"for auditor", resource);
@id("glacis/reviewer") permit (principal in Role::"reviewer", action in Action::"for reviewer", resource);
`;

/**
 * Opens the rights of the management side. Acts are rare, so each is decided anew. Nobody is anonymous here. Errors: `policy/invalid`.
 */
export async function openManagementRights(
  config: RightsConfig,
  {
    now,
    clock = () => performance.now(),
    failed,
  }: Pick<RightsSurroundings, 'now' | 'failed'> & Partial<RightsSurroundings>,
): Promise<ManagementRights> {
  const set = await openPolicySet(
    {
      schema: MANAGEMENT_SCHEMA,
      paths: config.management,
      standard: { name: 'the default policies of the management side', text: DEFAULT_MANAGEMENT },
      withStandard: config.withManagementDefault,
    },
    { changed: () => {}, clock },
  );
  const decide = (principal: Principal, action: string, from: string): ManagementDecision => {
    const refuse = (because: string): ManagementDecision => ({ isAllowed: false, policies: [], because });
    if (!Object.hasOwn(MANAGEMENT_ACTIONS, action)) return refuse('there is no such action');
    if (principal.kind === 'anonymous') return refuse('nobody is anonymous here');
    const address = from === '' ? '127.0.0.1' : plainAddress(from);
    if (address === undefined) return refuse('policies ask for an address, and there is none');
    const { id, tenant, credential, kind, roles } = principal;
    const who = { type: 'Operator', id };
    try {
      const { isAllowed, policies } = set.ask({
        principal: who,
        action,
        resource: { type: 'Gateway', id: 'gateway' },
        context: {
          address: { __extn: { fn: 'ip', arg: address } },
          now: { __extn: { fn: 'datetime', arg: new Date(now()).toISOString() } },
        },
        entities: [
          {
            uid: who,
            attrs: { kind, credential },
            parents: [{ type: 'Tenant', id: tenant }, ...roles.map((role) => ({ type: 'Role', id: role }))],
          },
        ],
      });
      return { isAllowed, policies, because: becauseOf(isAllowed, policies) };
    } catch (thrown) {
      failed('management rights', asGlacisError(thrown, 'run/failed', 'management rights'));
      return refuse('the policies could not be asked');
    }
  };
  return {
    decide,
    may: (principal, action, address) => decide(principal, action, address).isAllowed,
    reload: async () => (await set.prepare())(),
    prepare: set.prepare,
    get digest() {
      return set.digest;
    },
    get policies() {
      return set.policies;
    },
    get problem() {
      return set.problem;
    },
  };
}
