import type { ErrorCode } from '../../core/error.ts';
import type { PackWish } from '../../incident/evidence/pack-evidence.ts';
import type { ZipFile } from '../../incident/evidence/stored-zip.ts';
import type { ImpactSummary, Replayed } from '../../incident/impact/impact.ts';
import type { ImpactSearch, KeptStep } from '../../incident/impact/run-impact.ts';
import type { PastScope } from '../../incident/past.ts';
import type { SecondLook } from '../../incident/what-if/look-again.ts';
import type { WhatIf, WhatIfChange } from '../../incident/what-if/what-if.ts';
import type { PastInput } from './ask-served.ts';
import type { PastCall } from './try-guard.ts';

/** Which log a thread searches, and what opens what is sealed in it. */
export interface SearchPlace {
  /** The folder of the recorder. */
  readonly folder: string;
  readonly origin: string;
  /** The log's keys, as verifiers take them. */
  readonly keys: readonly string[];
  readonly sealed: boolean;
  /** As `openWrappingKey` reads it. */
  readonly wrappingKey: string;
}

/** What a thread does, once. */
export type SearchJob =
  | { readonly kind: 'impact'; readonly search: ImpactSearch }
  | { readonly kind: 'pack'; readonly wish: PackWish }
  | {
      readonly kind: 'what-if';
      readonly id: string;
      readonly scope: PastScope;
      readonly change: WhatIfChange;
    };

/** What it is started with. */
export interface SearchData extends SearchPlace {
  readonly glacis: 'search';
  readonly job: SearchJob;
}

/** What it asks for while it works; each is answered. */
export type SearchCall =
  | { readonly kind: 'keep'; readonly step: KeptStep }
  | { readonly kind: 'ask'; readonly input: PastInput }
  | { readonly kind: 'look'; readonly call: PastCall }
  | { readonly kind: 'seal'; readonly manifest: Uint8Array };

/** From the thread. */
export type FromSearch =
  | { readonly kind: 'step'; readonly value: ImpactSummary | WhatIf }
  | { readonly kind: 'call'; readonly id: number; readonly call: SearchCall }
  | { readonly kind: 'done'; readonly value: ImpactSummary | WhatIf | Uint8Array }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

/** To the thread. */
export type ToSearch =
  | { readonly kind: 'cancel' }
  | {
      readonly kind: 'answer';
      readonly id: number;
      readonly value: number | Replayed | SecondLook | undefined | readonly ZipFile[];
    }
  | { readonly kind: 'refused'; readonly id: number; readonly code: ErrorCode; readonly message: string };
