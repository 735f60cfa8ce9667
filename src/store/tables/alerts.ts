/** A message to one receiver, kept until it has arrived. */
export interface AlertOutboxRow {
  /** The same at every try: receivers know a message again by it. */
  id: string;
  channel: string;
  /** What it is about: messages about one thing are sent in order. */
  subject: string;
  /** Grows: the order of messages. */
  sequence: number;
  at: number;
  severity: string;
  title: string;
  case_id: string | null;
  /** JSON: what is said; no secret of the channel. */
  message: string;
  /** `waiting`, `sent` or `given-up`. */
  state: string;
  tries: number;
  /** Counts changes: what is being sent is not added to. */
  revision: number;
  /** Not sent before. */
  due: number;
  /** Given up after. */
  until: number;
  sent: number | null;
  /** Why the last try failed. */
  because: string | null;
}
