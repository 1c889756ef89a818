/** Rules, connections and API destinations as documents of the region. */
import { documentKind } from "../registry/documents.ts";

export interface InputTransformer {
  /** Names and the paths in the event that they stand for. */
  readonly paths: Readonly<Record<string, string>>;
  readonly template: string;
}

export interface RuleTarget {
  readonly id: string;
  readonly arn: string;
  /** At most one of these three. */
  readonly input?: string | undefined;
  readonly inputPath?: string | undefined;
  readonly inputTransformer?: InputTransformer | undefined;
  /** Absent: the settings of the region. */
  readonly attemptsLimit?: number | undefined;
  readonly ageLimitMilliseconds?: number | undefined;
  readonly roleArn?: string | undefined;
}

export interface EventRule {
  /** The text as it was given. */
  readonly pattern: string;
  readonly isEnabled: boolean;
  readonly description?: string | undefined;
  readonly roleArn?: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly targets: readonly RuleTarget[];
}

/** How a webhook proves itself to the receiver. The secret is encrypted. */
export interface EventConnection {
  readonly arn: string;
  readonly description?: string | undefined;
  readonly authorization: ConnectionAuthorization;
  readonly createdAt: number;
  readonly changedAt: number;
}

export type ConnectionAuthorization =
  /** Standard Webhooks: body, id and time are signed. */
  | { readonly kind: "signature"; readonly encryptedSecret: string }
  | { readonly kind: "header"; readonly name: string; readonly encryptedSecret: string }
  | { readonly kind: "basic"; readonly user: string; readonly encryptedSecret: string };

export interface ApiDestination {
  readonly arn: string;
  readonly description?: string | undefined;
  readonly connection: string;
  readonly endpoint: string;
  readonly method: "POST" | "PUT" | "PATCH";
  /** As it was given; one delivery goes after the other in any case. */
  readonly invocationRateLimitPerSecond: number;
  readonly createdAt: number;
  readonly changedAt: number;
}

export const eventRuleKind = documentKind<EventRule>("event-rule", "region");
export const eventConnectionKind = documentKind<EventConnection>("event-connection", "region");
export const apiDestinationKind = documentKind<ApiDestination>("event-api-destination", "region");

export function ruleArn(region: string, account: string, name: string): string {
  return `arn:aws:events:${region}:${account}:rule/${name}`;
}
