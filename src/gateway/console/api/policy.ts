import type { Order } from '../../../incident/order.ts';

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
    /** False of a guard that is calibrated and not on: its threshold is the one that it would have. */
    readonly isOn: boolean;
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
export type { WhatIf, WhatIfChange } from '../../../incident/what-if/what-if.ts';
