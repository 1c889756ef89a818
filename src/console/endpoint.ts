/** What an endpoint of the console's API is made of; handler.ts runs it, check by check. */
import type * as v from "valibot";
import type { Access, Permission, RequestFacts } from "../access/access.ts";
import { type Validated, validate } from "../aws/validation.ts";
import type { RegistryContext } from "../registry/context.ts";
import type { RunningReplication } from "../replication/start-replication.ts";
import type { Clock } from "../runtime/clock.ts";
import type { RequestContext } from "../runtime/request.ts";
import type { ChartRegionAnswer } from "./api-types.ts";
import type { EventStreams } from "./event-streams.ts";
import type { OperationDoors } from "./operation-doors.ts";
import type { ConsoleSession, ConsoleSessions } from "./sessions.ts";
import type { SignInThrottle } from "./sign-in-throttle.ts";

export interface ConsoleServices {
  readonly registry: RegistryContext;
  readonly access: Access;
  readonly clock: Clock;
  readonly sessions: ConsoleSessions;
  readonly throttle: SignInThrottle;
  readonly doors: OperationDoors;
  readonly streams: EventStreams;
  /** Absent in a region that is alone. */
  readonly replication: Pick<RunningReplication, "links"> | undefined;
  /** The regions that this one knows, itself among them, and registries that are no regions. */
  readonly regions: readonly ChartRegionAnswer[];
  readonly version: string;
}

/** A request of anybody. */
export interface AnonymousCall {
  readonly services: ConsoleServices;
  readonly request: Request;
  readonly context: RequestContext;
  readonly facts: RequestFacts;
  /** Whether the browser came by TLS, through a proxy or not. */
  readonly secure: boolean;
}

/** A request of somebody who is signed in. */
export interface ConsoleCall extends AnonymousCall {
  readonly session: ConsoleSession;
}

/** An endpoint with an input that was found good. */
export interface PreparedEndpoint {
  /** All of them are needed. */
  readonly permissions: readonly Permission[];
  handle(): Promise<object>;
}

export type Method = "GET" | "POST" | "DELETE";

interface EndpointDescription {
  /** In the log: a fixed name. */
  readonly name: string;
  readonly method: Method;
  /** Below `/console/api/`. */
  readonly path: string;
  /** One sentence, for the reference. */
  readonly summary: string;
}

export interface Endpoint extends EndpointDescription {
  prepare(call: ConsoleCall, input: unknown): Validated<PreparedEndpoint>;
}

export interface OpenEndpoint extends EndpointDescription {
  prepare(call: AnonymousCall, input: unknown): Validated<Omit<PreparedEndpoint, "permissions">>;
}

export interface EndpointDefinition<Schema extends v.GenericSchema> extends EndpointDescription {
  /** Of the query of a GET, whose values are texts, and of the JSON of all others. */
  readonly input: Schema;
  /** None: whoever is signed in may do it with what is their own. */
  permissions(call: ConsoleCall, input: v.InferOutput<Schema>): readonly Permission[];
  /** Answers with what becomes JSON, or with a whole response. */
  handle(call: ConsoleCall, input: v.InferOutput<Schema>): Promise<object>;
}

export function defineEndpoint<Schema extends v.GenericSchema>(
  definition: EndpointDefinition<Schema>,
): Endpoint {
  const { name, method, path, summary } = definition;
  return {
    ...{ name, method, path, summary },
    prepare(call, input) {
      const validated = validate(definition.input, input);
      if ("violation" in validated) return validated;
      const { output } = validated;
      return {
        output: {
          permissions: definition.permissions(call, output),
          handle: () => definition.handle(call, output),
        },
      };
    },
  };
}

export interface OpenEndpointDefinition<Schema extends v.GenericSchema>
  extends EndpointDescription {
  readonly input: Schema;
  handle(call: AnonymousCall, input: v.InferOutput<Schema>): Promise<object>;
}

/** One that asks for no session. */
export function defineOpenEndpoint<Schema extends v.GenericSchema>(
  definition: OpenEndpointDefinition<Schema>,
): OpenEndpoint {
  const { name, method, path, summary } = definition;
  return {
    ...{ name, method, path, summary },
    prepare(call, input) {
      const validated = validate(definition.input, input);
      if ("violation" in validated) return validated;
      return { output: { handle: () => definition.handle(call, validated.output) } };
    },
  };
}
