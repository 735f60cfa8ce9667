import type { Case, CaseEvent } from '../../incident/case.ts';
import type { ImpactScope } from '../../incident/impact/impact.ts';
import type { Order } from '../../incident/order.ts';
import type { Suggestion } from '../../incident/suggest.ts';
import type { Alarm, AlarmSeverity } from '../../monitor/alarm.ts';
import type { MonitorState } from '../../monitor/monitor.ts';
import type { ModelStatus } from '../backend/model-status.ts';
import type { Decision } from '../decision.ts';
import type { KeyState } from '../identity/keys/key-page.ts';
import type { KeyRecord } from '../identity/keys/key-record.ts';

/**
 * What the management side answers to the console, as JSON: types alone, so that the pages in the browser and the server cannot disagree. All lists are paged by the
 * server: `next` is what to ask for as `?before=`; undefined at the end. Times are milliseconds since 1970.
 *
 * The pages are under `/console/`: files with a hash in their name under `/console/assets/`, and `index.html` for every other path there (a page's address is a path,
 * such as `/console/cases/C-2026-0007`). A one-time link is `/console/#link=…`: what stands after `#` never reaches a log.
 */
export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly next?: string | undefined;
}

/**
 * `GET /api/session`: who is signed in. `POST /api/session/link {link}` signs in with a one-time link, `POST /api/session/end` signs out. Every POST carries `x-glacis-csrf`;
 * what a page asks by itself, while nobody has touched it for a minute, carries `x-glacis-idle: 1`, so that an empty chair is signed out.
 */
export interface SessionInfo {
  readonly principal: string;
  readonly roles: readonly string[];
  /** Actions of the management side that it may do: buttons for others are not drawn. */
  readonly may: readonly string[];
  readonly csrf: string;
  readonly ends: number;
  /** Whether this gateway serves a demonstration: said on every page. */
  readonly demo: boolean;
}

/**
 * `GET /api/session/ways`, for who is not signed in: buttons beside the one-time link. `start` is a path of this server that leads to the provider; `?to=/console/…` is
 * where to come back to. Who comes back without being signed in is at `/console/#refused=` and `expired`, `denied`, `failed`, `no-role` or `throttled`.
 */
export interface SignInWays {
  readonly oidc: readonly { readonly name: string; readonly start: string }[];
  readonly demo: boolean;
}

/** `GET /api/overview` */
export interface Overview {
  readonly now: number;
  readonly since: number;
  readonly health: readonly { readonly part: string; readonly ok: boolean; readonly because?: string }[];
  readonly models: readonly (ModelStatus & {
    readonly perSecond: number;
    readonly p99: number | undefined;
    readonly alarmed: boolean;
  })[];
  /** The last hour and the hour before it. */
  readonly hour: Totals;
  readonly before: Totals;
  readonly cases: readonly Case[];
  readonly orders: readonly Order[];
  readonly reviews: number;
  /** The last 24 hours, for a line: requests and refusals a step. */
  readonly day: readonly (readonly [at: number, answered: number, refused: number])[];
  /** Entries of the log, and the newest signed state of it. */
  readonly log: { readonly size: number; readonly at: number; readonly root: string };
}

/** Sums over a span of time. */
export interface Totals {
  readonly requests: number;
  readonly samples: number;
  readonly answered: number;
  readonly refused: number;
  readonly clients: number;
  readonly flagged: number;
}

/** `GET /api/traffic?model=&from=&to=`: at most 300 steps. */
export interface Traffic {
  readonly step: number;
  readonly points: readonly {
    readonly at: number;
    readonly answered: number;
    /** By the name of the refusal. */
    readonly refused: Readonly<Record<string, number>>;
    readonly samples: number;
    /** Milliseconds. */
    readonly p50: number | undefined;
    readonly p99: number | undefined;
  }[];
  /** Mean milliseconds of each stage in the span. */
  readonly stages: readonly { readonly stage: string; readonly mean: number; readonly p99: number }[];
  readonly guards: readonly {
    readonly guard: string;
    readonly model: string;
    readonly pass: number;
    readonly flag: number;
    readonly degrade: number;
    readonly refuse: number;
  }[];
}

/** A row of `GET /api/clients?model=&find=&sort=requests|refused|budget|flagged&before=&most=` */
export interface ClientRow {
  readonly principal: string;
  readonly tenant: string;
  readonly requests: number;
  readonly samples: number;
  readonly refused: number;
  readonly flagged: number;
  readonly first: number;
  readonly last: number;
  readonly addresses: number;
  /** The budget that runs out first: share used, and when it is empty at the speed of the last day; undefined where it will not be. */
  readonly budget?: {
    readonly used: number;
    readonly limit: number;
    readonly step: string;
    readonly emptyAt?: number;
  };
  readonly orders: readonly Order[];
}

/** `GET /api/clients/:id`: the row, its days and its last decisions. */
export interface ClientDetail extends ClientRow {
  readonly days: readonly (readonly [at: number, samples: number, refused: number])[];
  readonly decisions: readonly DecisionRow[];
  readonly cases: readonly Case[];
}

/** `GET /api/monitors?model=` */
export interface Monitors {
  readonly states: readonly MonitorState[];
  /** Sketches of the last calls that were drawn, as pictures where the model takes pictures: row-major in [0, 1], `channels` 1 or 3. */
  readonly samples: readonly {
    readonly decision: string;
    readonly at: number;
    readonly principal: string | undefined;
    readonly label: number | undefined;
    readonly score: number | undefined;
    readonly picture?: {
      readonly width: number;
      readonly height: number;
      readonly channels: number;
      readonly values: readonly number[];
    };
    readonly features?: readonly number[];
  }[];
  readonly classNames?: readonly string[] | undefined;
}

/** `GET /api/alarms?model=&kind=&case=&before=&most=`: `Page<Alarm>`. `GET /api/cases?state=&kind=&find=&before=&most=`: `Page<Case>`. `GET /api/cases/:id`: */
export interface CaseDetail {
  readonly case: Case;
  readonly events: readonly CaseEvent[];
  readonly alarms: readonly Alarm[];
  readonly orders: readonly Order[];
  /** What the policy would do, and what a person may do now. */
  readonly suggestions: readonly Suggestion[];
  /** Decisions that show it, the most telling first. */
  readonly decisions: readonly DecisionRow[];
}

/**
 * `POST /api/cases/:id/act {wish}`, `…/state {state, verdict?, revision}`, `…/owner {owner?, revision}`, `…/comment {text}`, `…/approve {act}`, `…/decline {act}`; `POST /api/orders {wish}`,
 * `POST /api/orders/:id/lift`, `GET /api/orders`. `POST /api/cases/:id/impact {scope, against?}` and `GET /api/impacts/:id`:
 */
export interface Impact {
  readonly id: string;
  readonly state: 'running' | 'done' | 'failed';
  readonly because?: string | undefined;
  readonly scope: ImpactScope;
  readonly against?: string | undefined;
  /** Decisions looked at, affected, replayed, and different when replayed. */
  readonly looked: number;
  readonly affected: number;
  readonly replayed: number;
  readonly different: number;
  readonly principals: readonly {
    readonly principal: string;
    readonly decisions: number;
    readonly different: number;
  }[];
  readonly rows: readonly (DecisionRow & {
    readonly now?: readonly (readonly [label: number, score: number])[] | undefined;
    readonly different?: boolean | undefined;
  })[];
  /** What to ask for as `?before=` to see more rows: those that differ come first. */
  readonly next?: string | undefined;
  /** Entries of the log that were passed, of so many. */
  readonly progress?: readonly [done: number, of: number] | undefined;
  /** Affected ones that could not be replayed: their inputs were not kept, or the key is gone. */
  readonly unkept?: number | undefined;
  /** Where the signed bundle is: `GET /api/impacts/:id/bundle`. */
  readonly bundle?: { readonly digest: string; readonly bytes: number } | undefined;
}

export type { ImpactScope, Suggestion };

/** A decision in a list: `GET /api/decisions?principal=&tenant=&model=&digest=&outcome=&id=&from=&to=&before=&most=`: `Page<DecisionRow>`. */
export interface DecisionRow {
  readonly entry: number;
  readonly id: string;
  readonly at: number;
  readonly principal: string | undefined;
  readonly tenant: string | undefined;
  readonly model: string;
  readonly version: string | undefined;
  readonly n: number;
  readonly outcome: string;
  readonly because?: string | undefined;
  readonly top?: readonly (readonly [label: number, score: number])[] | undefined;
  /** The strongest word of a guard. */
  readonly guard?: { readonly guard: string; readonly action: string; readonly score: number } | undefined;
  readonly divergence?: number | undefined;
}

/** `GET /api/decisions/:idOrEntry`. `GET /api/receipts/:entry` is the tlog-proof (text), `GET /api/trust` the keys to check it with: the browser does that itself. */
export interface DecisionDetail {
  readonly entry: number;
  /** The entry's bytes as they are in the log (UTF-8, canonical JSON): what the leaf of the tree is made of. */
  readonly text: string;
  readonly decision?: Omit<Decision, 'kind'> | undefined;
  /** The event, where it is none about a call. */
  readonly event?:
    | {
        readonly event: string;
        readonly by: string;
        readonly at: number;
        readonly about: Readonly<Record<string, unknown>>;
      }
    | undefined;
}

/** `GET /api/events` is a stream of server-sent events; `data` is JSON of one of these. */
export type LiveEvent =
  | {
      readonly kind: 'traffic';
      readonly at: number;
      readonly answered: number;
      readonly refused: number;
      readonly flagged: number;
      readonly p50: number | undefined;
      readonly p99: number | undefined;
      readonly models: Readonly<Record<string, number>>;
    }
  | { readonly kind: 'decision'; readonly row: DecisionRow }
  | { readonly kind: 'alarm'; readonly alarm: Alarm }
  | { readonly kind: 'case'; readonly case: Case }
  | { readonly kind: 'order'; readonly order: Order }
  | { readonly kind: 'models' | 'reviews' | 'policy' | 'keys' }
  | { readonly kind: 'signed-out' };

/** `GET /api/alerts`: where alarms are sent. `POST /api/alerts/:channel/test {}` takes the real way and gives the {@link AlertRow}. */
export interface AlertsView {
  readonly channels: readonly {
    readonly name: string;
    readonly kind: 'webhook' | 'email' | 'slack' | 'pagerduty' | 'ocsf' | 'cloudevents';
    /** Host or address, without a secret. */
    readonly to: string;
    /** What it is told of: this severity and worse. */
    readonly least: AlarmSeverity;
    readonly quiet?: string | undefined;
    /** Messages that wait for the receiver. */
    readonly waiting: number;
    readonly sent: number;
    readonly lastSent?: number | undefined;
    /** Why the last try failed; undefined where it did not. */
    readonly because?: string | undefined;
  }[];
}

/** A row of `GET /api/alerts/outbox?channel=&state=&before=&most=`: `Page<AlertRow>`. */
export type { ShownAlert as AlertRow } from '../../incident/alerts/show.ts';

/** `GET /api/assessments`: reports in the folder that `serve.console.assessments` names, newest first. `GET /api/assessments/:id` is the whole result (`glacis.assessment/1`), `…/:id/report` its page. */
export interface AssessmentRow {
  readonly id: string;
  readonly at: number;
  readonly model: string;
  readonly digest: string;
  readonly data: string;
  readonly dataDigest: string;
  readonly n: number;
  readonly status: 'complete' | 'partial';
  readonly cleanAccuracy: number | undefined;
  /** The least over all attacks of a ball, by norm and eps. */
  readonly robust: readonly {
    readonly norm: string;
    readonly eps: number;
    readonly accuracy: number;
    readonly low: number;
    readonly high: number;
    readonly attacks: number;
  }[];
  readonly findings: readonly { readonly id: string; readonly title: string; readonly severity: string }[];
  readonly hasReport: boolean;
}

/** `GET /api/assessments?find=&before=&most=`. `GET /api/assessments/compare?a=&b=` is a `glacis.comparison/1`. */
export interface AssessmentList extends Page<AssessmentRow> {
  /** Files that claim to be results and cannot be read. */
  readonly unreadable: number;
  /** Whether the configuration names a folder. */
  readonly configured: boolean;
}

/** `GET /api/lab?model=`: what the lab can do, and inputs of that model (the first one without) to begin with. */
export interface LabInfo {
  readonly models: readonly LabModelInfo[];
  readonly attacks: readonly LabAttackInfo[];
  readonly inputs: readonly {
    readonly id: string;
    readonly label: number;
    readonly values: readonly number[];
  }[];
}

/** A model that attacks can be tried on. */
export interface LabModelInfo {
  readonly model: string;
  readonly version: string;
  readonly classNames?: readonly string[] | undefined;
  readonly classes: number;
  readonly sampleDims: readonly number[];
  readonly pictures: boolean;
  /** Least and greatest value of an input. */
  readonly range: readonly [number, number];
  /** Whether the lab has its file: without, attacks that need gradients cannot be tried, and there are no attributions. */
  readonly whiteBox: boolean;
}

/** An attack of the lab. */
export interface LabAttackInfo {
  readonly id: string;
  readonly title: string;
  /** What it does, in a sentence. */
  readonly about: string;
  /** What the attacker must see: the model's gradients, its scores, or only which class it says. `nothing`: chance alone. */
  readonly needs: 'gradient' | 'scores' | 'labels' | 'nothing';
  /** An example within eps, the nearest there is, or one of another kind (`size` says which; norm and eps mean nothing to it). */
  readonly seeks: 'ball' | 'minimum' | 'other';
  readonly size?: string | undefined;
  readonly norms: readonly string[];
  readonly blackBox: boolean;
}

/** `POST /api/lab {model, attack, norm, eps, input|values, label, integrated?}` starts; `GET /api/lab/:id` follows, `DELETE` ends it. Values are row-major in the model's own layout. */
export interface LabRun {
  readonly id: string;
  readonly model: string;
  readonly attack: string;
  readonly norm: string;
  readonly eps: number;
  readonly label: number;
  readonly state: 'running' | 'done' | 'failed';
  readonly because?: string | undefined;
  readonly progress: number;
  readonly classes: number;
  readonly original: readonly number[];
  /** Scores of the original, in [0, 1]. */
  readonly clean: readonly number[];
  /** The picture and its scores as the attack went on, the last is the result. */
  readonly steps: readonly {
    readonly values: readonly number[];
    readonly scores: readonly number[];
    readonly queries: number;
  }[];
  /** Whether the model says something else than `label` about the result; checked on the file as it is served. */
  readonly fell: boolean;
  /** Whether the result lies within eps: what looks for the nearest example may find none that near. */
  readonly within: boolean;
  readonly distance: { readonly linf: number; readonly l2: number; readonly l0: number };
  readonly queries: number;
  readonly gradients: number;
  readonly seconds: number;
  /** Gradient × input (or integrated gradients) of the clean and of the final class, of original and result: row-major as the sample. */
  readonly attribution?:
    | { readonly before: readonly number[]; readonly after: readonly number[]; readonly integrated: boolean }
    | undefined;
}

/** `GET /api/policy`: what is required of each model, and whether it is met; who may do what; guards and limits in force. */
export interface PolicyView {
  /** `glacis.yaml` as it lies there now; undefined where the gateway was started without one. */
  readonly text: string | undefined;
  readonly digest: string | undefined;
  readonly models: readonly {
    readonly model: string;
    readonly version: string;
    readonly digest?: string | undefined;
    /** The stage that it is let through to, where a gate checked it. */
    readonly stage?: string | undefined;
    /** False where it was not admitted. */
    readonly served: boolean;
    readonly requirements: readonly RequirementView[];
  }[];
  /** Rules of who may do what, of callers (`public`) and of people here (`management`). */
  readonly rights: readonly {
    readonly side: 'public' | 'management';
    readonly digest: string;
    readonly policies: readonly {
      readonly id: string;
      readonly effect: 'permit' | 'forbid';
      readonly text: string;
    }[];
    /** Why newer rules are not in force. */
    readonly problem?: string | undefined;
  }[];
  readonly guards: readonly {
    readonly model: string;
    readonly guard: string;
    readonly threshold: number | undefined;
    /** What it does about an alarm; undefined where it decides that itself. */
    readonly action: string | undefined;
    readonly about: string;
    readonly overridden?: Order | undefined;
  }[];
  readonly budgets: readonly {
    readonly per: string;
    readonly who: readonly string[];
    readonly models: readonly string[];
    readonly queries: number;
    readonly window: number;
    readonly together: boolean;
  }[];
  readonly rates: readonly {
    readonly per: string;
    readonly requests?: number | undefined;
    readonly samples?: number | undefined;
    readonly every: string;
  }[];
}

/** One thing that is required of a model. */
export interface RequirementView {
  readonly name: string;
  /** What is required, in a sentence. */
  readonly says: string;
  readonly stage?: string | undefined;
  /** `excepted`: not met, and let pass until a day that the policy names. `none`: nothing is required. */
  readonly state: 'met' | 'not-met' | 'missing' | 'excepted' | 'none';
  readonly because: string;
}

/** `POST /api/what-if {model?, from, to, change}` replays past traffic; `GET /api/what-if/:id`, `DELETE` ends it. */
export type { WhatIf, WhatIfChange } from '../../incident/what-if/what-if.ts';

/** A row of `GET /api/keys?principal=&tenant=&find=&state=&before=&most=`. `POST /api/keys` answers one with its text, `key`, which is shown this once. */
export interface KeyRow extends Omit<KeyRecord, 'hash'> {
  readonly state: KeyState;
}

/** A page of keys, and how many fit in all. */
export interface KeyList extends Page<KeyRow> {
  readonly total: number;
}

/** A row of `GET /api/principals?find=&out=&before=&most=`: who has or had keys here, or was shut out. */
export interface PrincipalRow {
  readonly id: string;
  readonly tenant: string;
  /** Milliseconds since 1970 from which on it is shut out; undefined where it is not. */
  readonly out?: number | undefined;
  /** Who shut it out or let it in last, and why. */
  readonly note?: string | undefined;
  readonly keys: number;
  readonly roles: readonly string[];
}

/** `GET /api/roles`: what a person with this role alone may do, as the rules in force say. */
export interface RolesView {
  readonly roles: readonly string[];
  readonly actions: readonly {
    readonly action: string;
    readonly about: string;
    readonly kind: 'read' | 'disclose' | 'change';
    /** Roles that may. */
    readonly by: readonly string[];
  }[];
}

/** A row of `GET /api/sessions?principal=`, an array; `POST /api/sessions/:name/end {}` signs somebody out. */
export interface SignedIn {
  readonly name: string;
  readonly principal: string;
  readonly tenant: string;
  readonly credential: string;
  readonly address: string;
  readonly created: number;
  readonly seen: number;
  readonly ends: number;
  /** `link`, or the provider that vouched. */
  readonly way: string;
}
