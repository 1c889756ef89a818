/** What can go wrong with rules, targets, connections and dead letters. aws/events maps it. */
export type EventsFailure =
  | "unknown"
  | "exists"
  | "limit"
  | "invalid"
  | "pattern"
  | "in_use"
  | "unsupported";

export class EventsError extends Error {
  override readonly name = "EventsError";
  readonly failure: EventsFailure;
  /** @param message for the client, in EventBridge's words where it has some */
  constructor(failure: EventsFailure, message: string) {
    super(message);
    this.failure = failure;
  }
}
