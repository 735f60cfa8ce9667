import type { Case } from '../../case.ts';
import type { Channel, Dispatch, Transmit } from '../channel.ts';
import type { AlertAction } from '../message.ts';
import { headline } from '../plain.ts';
import { bearer } from './cloudevents.ts';
import { type HttpPlace, overHttp } from './over-http.ts';

const CLASS = 2004;
const VERSION = '1.6.0';
const ACTIVITIES = {
  trigger: [1, 'Create'],
  update: [2, 'Update'],
  acknowledge: [2, 'Update'],
  resolve: [3, 'Close'],
  test: [1, 'Create'],
} as const satisfies Readonly<Record<AlertAction, readonly [number, string]>>;
const SEVERITIES = {
  critical: [5, 'Critical'],
  high: [4, 'High'],
  medium: [3, 'Medium'],
  low: [2, 'Low'],
} as const;

/** Findings for a SIEM as the Open Cybersecurity Schema Framework has them: class 2004, Detection Finding (schema.ocsf.io). A case is one finding, by `finding_info.uid`. */
export function ocsf(
  place: HttpPlace,
  product: string,
  token: string | undefined,
  transmit: Transmit,
): Channel {
  return overHttp(place, transmit, (dispatch) => ({
    body: JSON.stringify(findingOf(dispatch, product)),
    headers: bearer(token),
  }));
}

/** The finding. */
export function findingOf({ id, message, at, now }: Dispatch, product: string): object {
  const { action, case: about, alarm, news, link } = message;
  const [activity, activityName] = ACTIVITIES[action];
  const [severity, severityName] = SEVERITIES[about.severity];
  const [status, statusName] = statusOf(about);
  const attacks = about.atlas.map(attackOf);
  return {
    activity_id: activity,
    activity_name: activityName,
    category_uid: 2,
    category_name: 'Findings',
    class_uid: CLASS,
    class_name: 'Detection Finding',
    type_uid: CLASS * 100 + activity,
    type_name: `Detection Finding: ${activityName}`,
    time: at,
    start_time: about.first,
    end_time: about.last,
    count: Math.max(1, about.alarms),
    severity_id: severity,
    severity: severityName,
    status_id: status,
    status: statusName,
    is_alert: action === 'trigger',
    message: headline(message),
    metadata: {
      version: VERSION,
      uid: id,
      correlation_uid: about.id,
      logged_time: now,
      product: {
        name: 'Glacis',
        vendor_name: 'Glacis',
        uid: product,
        feature: { name: alarm?.monitor ?? 'incidents' },
      },
    },
    finding_info: {
      uid: about.id,
      title: about.title,
      desc: alarm?.why ?? news.join('\n'),
      types: [about.kind],
      created_time: about.opened,
      modified_time: about.updated,
      first_seen_time: about.first,
      last_seen_time: about.last,
      src_url: link,
      ...(alarm && {
        analytic: { name: alarm.monitor, uid: alarm.monitor, type_id: 3, type: 'Statistical' },
      }),
      ...(attacks.length > 0 && { attacks }),
    },
    resources: about.models.map((name) => ({ uid: name, name, type: 'model' })),
    observables: about.principals.map((value) => ({
      name: 'evidences.user.name',
      type_id: 4,
      type: 'User Name',
      value,
    })),
    evidences: [
      ...about.principals.map((name) => ({ name: 'caller', user: { name, uid: name } })),
      ...(alarm?.decisions ?? []).map((uid) => ({ name: 'decision', uid, data: { decision: uid } })),
    ],
  };
}

/** An id of MITRE ATLAS, `AML.T0024.002`: the part after the last dot is that of a sub-technique. */
function attackOf(uid: string): object {
  const whole = /^(AML\.T\d+)\.\d+$/.exec(uid);
  return {
    technique: { uid: whole?.[1] ?? uid },
    ...(whole && { sub_technique: { uid } }),
    version: 'ATLAS',
  };
}

function statusOf({ state, verdict }: Pick<Case, 'state' | 'verdict'>): readonly [number, string] {
  if (state === 'open') return [1, 'New'];
  if (state !== 'closed') return [2, 'In Progress'];
  return verdict === 'false-alarm' ? [3, 'Suppressed'] : [4, 'Resolved'];
}
