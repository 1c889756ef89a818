/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html */
import * as v from "valibot";
import { EventsError } from "../../../events/errors.ts";
import { busArn, operation } from "../operation.ts";

/** Refused: the events here are what the region's journal tells, and nobody else makes any. */
export const PutEvents = operation({
  input: v.object({ Entries: v.pipe(v.array(v.unknown()), v.minLength(1), v.maxLength(10)) }),
  permission: (call) => ({ action: "events:PutEvents", resource: busArn(call) }),
  async handle(): Promise<object> {
    throw new EventsError(
      "unsupported",
      "PutEvents is not supported: the event bus carries the events of this registry only.",
    );
  },
});
