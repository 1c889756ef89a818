/** docs/reference/events.md, from the tables that the program uses. */
import { operations } from "../aws/events/operations/index.ts";
import { alarmUnits, looksToClear, looksToRaise } from "../events/alarms.ts";
import { changeEventTable } from "../events/change-events.ts";
import { apiDestinationsLimit, connectionsLimit } from "../events/connections.ts";
import { deliveryFailureCodes } from "../events/deliver-event.ts";
import { rulesLimit, targetsLimit } from "../events/rules.ts";
import { defaultEventSettings } from "../events/settings.ts";

const manual = "https://docs.aws.amazon.com/eventbridge/latest";

export function eventsPage(generated: string): string {
  const kinds = Object.entries(changeEventTable).map(
    ([kind, { types, when }]) =>
      `| ${types.map((type) => `\`${type}\``).join(", ")} | ${when} | \`${kind}\` |`,
  );
  const names = Object.keys(operations).map(
    (name) => `[${name}](${manual}/APIReference/API_${name}.html)`,
  );
  const codes = Object.entries(deliveryFailureCodes).map(
    ([code, meaning]) => `| \`${code}\` | ${meaning} |`,
  );
  const alarms = Object.entries(alarmUnits).map(([kind, unit]) => `| \`${kind}\` | ${unit} |`);
  const { backOff, attemptsLimit } = defaultEventSettings;
  return `# Events

${generated}

Every event has EventBridge's envelope: \`version\`, \`id\`, \`detail-type\`, \`source\`, \`account\`, \`time\`,
\`region\`, \`resources\`, \`detail\`. The \`id\` is the same however often the event is delivered. [The
guide](../guides/events.md) shows how to get them.

| detail-type | When | Change of the journal |
|---|---|---|
${kinds.join("\n")}

\`source\` is \`aws.ecr\`, and \`portolan\` for alarms. The members of \`detail\` have the names of Amazon ECR's
events. Its own members Portolan begins with \`portolan-\`:

| Member of an ECR Replication Action | Value |
|---|---|
| \`portolan-side\` | \`destination\` for the event that Amazon ECR has too, \`source\` for the one of the sending region |
| \`portolan-destination-region\`, \`portolan-destination-account\` | at the source: where the image went |
| \`portolan-failure-code\`, \`portolan-failure-side\`, \`portolan-failure-text\` | of a failure: [why](replication-failures.md) |

Different from Amazon EventBridge: nothing is best effort. An event is made of the journal, in the order of
the journal, and delivered at least once.

## Operations

\`POST /\` with the JSON 1.1 protocol of AWS (\`AWSEvents\`), Signature Version 4 and IAM's \`events:\` actions:
${names.join(", ")}.

There is one event bus, \`default\`. \`PutEvents\` is refused, and so are schedules, \`DeadLetterConfig\`,
\`HttpParameters\`, \`InvocationHttpParameters\` and OAuth: what would not work is not stored. An account may have
${rulesLimit} rules of ${targetsLimit} targets, ${connectionsLimit} connections and ${apiDestinationsLimit} API destinations.

Patterns have EventBridge's whole language: values, \`prefix\`, \`suffix\`, \`equals-ignore-case\`, \`wildcard\`,
\`anything-but\` with its forms, \`numeric\`, \`exists\`, \`cidr\`, \`$or\`.

## Targets

| ARN | What it is |
|---|---|
| \`arn:aws:events:REGION:ACCOUNT:api-destination/NAME/ID\` | a webhook, as CreateApiDestination answers it |
| \`arn:aws:portolan:REGION:ACCOUNT:file/NAME\` | JSON lines in \`events/ACCOUNT/NAME.jsonl\` in the data directory of the node that delivers; each line is synced. The file is replaced when it reaches \`events.fileLimit\`, and the one before it is kept as \`.1\` |
| \`arn:aws:portolan:REGION:ACCOUNT:standard-output\` | a line of JSON among the server's log. Handed to the log, not synced: the end of the process can take the last lines |

\`Input\`, \`InputPath\` and \`InputTransformer\` say what a target gets; without them it is the event.

## Deliveries

A target gets its events one after another, in order. One that fails is tried again before the next: after
${backOff.firstMilliseconds / 1000} s, twice as long each time up to ${backOff.limitMilliseconds / 60_000} minutes, between half and all of it by chance; or when the
receiver's \`Retry-After\` says, up to an hour. It becomes a dead letter when it is refused, after ${attemptsLimit} attempts
more (\`MaximumRetryAttempts\`) or when it is too old (\`MaximumEventAgeInSeconds\`, \`events.retention\`). No target
waits for another.

| Code | Meaning |
|---|---|
${codes.join("\n")}

## Webhooks

A CloudEvent 1.0 in structured JSON: \`id\` and \`time\` of the event, \`source\` \`urn:portolan:REGION:ACCOUNT\`,
\`type\` the detail-type, \`subject\` the repository, \`data\` the event (or what the target's input makes of it).
Anything but 2xx is a failure; redirects are not followed; of an answer at most 16 KiB are read.

A connection of type \`API_KEY\` whose \`ApiKeyName\` is \`webhook-signature\` signs by [Standard
Webhooks](https://www.standardwebhooks.com): its \`ApiKeyValue\`, \`whsec_\` and 24 to 64 bytes in base64, is never
sent. Headers: \`webhook-id\` (the event's id), \`webhook-timestamp\` (seconds), \`webhook-signature\`
(\`v1,\` and the base64 of HMAC-SHA256 over \`id.timestamp.body\`). Any other \`API_KEY\` connection sends its
header, a \`BASIC\` one HTTP basic authentication. Secrets are encrypted under the installation's key.

An endpoint must be HTTPS with a public address. \`events.privateHosts\` lists the hosts for which neither holds.
The name is resolved for each delivery, and the connection goes to the address that was judged.

## Alarms

| Alarm | Value |
|---|---|
${alarms.join("\n")}

Raised by ${looksToRaise} looks in a row that reach the threshold, cleared by ${looksToClear} in a row below half of it; thresholds
and interval are \`alarms.*\` of the [configuration](configuration.md). Each change is a \`Portolan Alarm State
Change\` in the shape of CloudWatch's: \`alarmName\`, \`state\`, \`previousState\`, \`configuration\`. Those that concern no
account in particular belong to the configuration's.

## Metrics

\`portolan_events_matched_total\`, \`portolan_event_delivery_attempts_total{outcome}\`,
\`portolan_event_deliveries_waiting\`, \`portolan_event_target_failing_seconds\`, \`portolan_event_dead_letters\`,
\`portolan_event_dead_letters_total\`, \`portolan_event_dead_letters_cut_total\`, \`portolan_alarm_raised{alarm}\`.
`;
}
