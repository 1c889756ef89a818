/** Defines an operation of EventBridge, with what they have in common. */
import * as v from "valibot";
import type { Permission } from "../../access/access.ts";
import type { EventsContext } from "../../events/connections.ts";
import { ruleArn } from "../../events/rule-documents.ts";
import type { RuleAddress } from "../../events/rules.ts";
import { pageToken, readPageToken } from "../ecr/page-token.ts";
import { AwsError } from "../errors.ts";
import {
  type Call,
  defineOperation,
  type Operation,
  type OperationDefinition,
} from "../operation.ts";

export type EventsCall = Call<EventsContext>;

export function operation<Schema extends v.GenericSchema>(
  definition: OperationDefinition<EventsContext, Schema>,
): Operation<EventsContext> {
  return defineOperation(definition);
}

export const optional = <Schema extends v.GenericSchema>(schema: Schema) =>
  v.nullish(schema, () => undefined);

const text = (length: number) => v.pipe(v.string(), v.minLength(1), v.maxLength(length));

export const name = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(64),
  v.regex(/^[.\-_A-Za-z0-9]+$/),
);
export const arn = text(1600);
export const description = optional(v.pipe(v.string(), v.maxLength(512)));
export const pattern = v.pipe(v.string(), v.maxLength(4096));
export const nextToken = optional(text(2048));
export const limit = optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)));
export const tagList = v.pipe(
  v.array(
    v.object({
      Key: text(128),
      Value: v.pipe(v.string(), v.maxLength(256)),
    }),
  ),
  v.maxLength(50),
);

/** Only the default event bus exists. */
export const eventBus = optional(
  v.pipe(v.string(), v.minLength(1), v.maxLength(1600), v.regex(/^[/.\-_A-Za-z0-9:]+$/)),
);

export const busArn = ({ service, principal }: EventsCall) =>
  `arn:aws:events:${service.registry.region}:${principal.account}:event-bus/default`;

/** @throws ResourceNotFoundException */
export function requireDefaultBus(call: EventsCall, bus: string | undefined): void {
  if (bus === undefined || bus === "default" || bus === busArn(call)) return;
  throw new AwsError("ResourceNotFoundException", `Event bus ${bus} does not exist.`);
}

export function addressOf({ principal }: EventsCall, rule: string): RuleAddress {
  return { account: principal.account, name: rule, actor: principal.arn };
}

export function arnOf({ service, principal }: EventsCall, rule: string): string {
  return ruleArn(service.registry.region, principal.account, rule);
}

/** Permission for an action on a rule. */
export function onRule(action: string, call: EventsCall, rule: string): Permission {
  return {
    action: `events:${action}`,
    resource: arnOf(call, rule),
    account: call.principal.account,
  };
}

/** Permission for an action on all that is of a type. */
export function onAll(action: string, call: EventsCall, type: string): Permission {
  const { region } = call.service.registry;
  return {
    action: `events:${action}`,
    resource: `arn:aws:events:${region}:${call.principal.account}:${type}/*`,
    account: call.principal.account,
  };
}

/** Permission for an action on something with a name and an id behind it. */
export function onNamed(action: string, call: EventsCall, type: string, named: string): Permission {
  const { region } = call.service.registry;
  return {
    action: `events:${action}`,
    resource: `arn:aws:events:${region}:${call.principal.account}:${type}/${named}`,
    account: call.principal.account,
  };
}

/** A page of a list that was read whole: our limits are small. */
export function pageOf<Member>(
  call: EventsCall,
  binding: readonly (string | undefined)[],
  members: readonly Member[],
  keyOf: (member: Member) => string,
  { NextToken, Limit }: { NextToken: string | undefined; Limit: number | undefined },
): { readonly page: readonly Member[]; readonly next: { NextToken?: string } } {
  const bound = [call.principal.account, ...binding];
  const [after = ""] = readPageToken(bound, NextToken) ?? [];
  const rest = members.filter((member) => keyOf(member) > after);
  const page = rest.slice(0, Limit ?? 100);
  const last = page.at(-1);
  const more = last !== undefined && page.length < rest.length;
  return { page, next: more ? { NextToken: pageToken(bound, [keyOf(last)]) } : {} };
}

/** The rule that a resource ARN names. @throws ResourceNotFoundException */
export function ruleOfArn(call: EventsCall, resourceArn: string): string {
  const prefix = arnOf(call, "");
  const rule = resourceArn.startsWith(prefix) ? resourceArn.slice(prefix.length) : "";
  if (!/^(?:default\/)?[.\-_A-Za-z0-9]+$/.test(rule)) {
    throw new AwsError("ResourceNotFoundException", `${resourceArn} does not exist.`);
  }
  return rule.replace(/^default\//, "");
}

export function tagsOf(tags: readonly { Key: string; Value: string }[]): Record<string, string> {
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));
}

export const validation = (message: string) => new AwsError("ValidationException", message);
