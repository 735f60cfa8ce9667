import type { KeyState } from '../../identity/keys/key-page.ts';
import type { KeyRecord } from '../../identity/keys/key-record.ts';
import type { Page } from './page.ts';

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
