import { DETAILS } from '../detail.ts';

/** The action of an infer that gives away this much. */
export const inferAction = (detail: string): string => `infer:${detail}`;

/** Each detail is in the next one that gives more, and all are in `infer`: who may have `infer:topk` may have `infer:label`. */
const INFER_ACTIONS = DETAILS.map((detail, i) => {
  const next = DETAILS[i + 1];
  const group = next === undefined ? 'infer' : inferAction(next);
  return `action "${inferAction(detail)}" in ["${group}"] appliesTo {
  principal: [Principal], resource: [Model, ModelVersion], context: Context
};`;
});

/** What policies of the public side may speak of, in Cedar's own schema language. */
export const RIGHTS_SCHEMA = `
/// Whom a principal belongs to: a customer, a team.
entity Tenant;
/// What a credential says that its holder is.
entity Role;
/// Who asks. \`kind\` is key, token, certificate or anonymous; \`credential\` a key's id, a token's issuer and subject, or a
/// certificate's fingerprint; \`scoped\` whether the credential itself is confined to some models, operations and detail.
entity Principal in [Tenant, Role] = { kind: String, credential: String, scoped: Bool };
entity Model = { name: String };
/// \`ModelVersion::"mnist/3"\` is in \`Model::"mnist"\`.
entity ModelVersion in [Model] = { name: String, version: String };
/// \`address\` is the remote address, \`now\` the time in UTC.
type Context = { address: ipaddr, now: datetime };

action "infer";
${INFER_ACTIONS.join('\n')}
action "metadata", "ready" appliesTo {
  principal: [Principal], resource: [Model, ModelVersion], context: Context
};
`;

/**
 * The policies where none are given: a credential that is confined to something may do that. Keys always are; tokens and certificates where the
 * configuration confines them. Nobody else may do anything.
 */
export const DEFAULT_RIGHTS = `
@id("glacis/scope")
permit (principal, action, resource)
when { principal.scoped };
`;
