/** What an operation of an AWS service is made of; json-protocol.ts runs it, check by check. */
import type * as v from "valibot";
import type { Decision, Permission, Principal } from "../access/access.ts";
import type { RequestContext } from "../runtime/request.ts";
import { type Validated, validate } from "./validation.ts";

/** One authenticated request for an operation. */
export interface Call<ServiceContext> {
  /** What all operations of the service work with. */
  readonly service: ServiceContext;
  readonly principal: Principal;
  readonly accessKeyId: string;
  /** Of temporary credentials, with their end. */
  readonly sessionToken?: string | undefined;
  readonly expiresAt?: number | undefined;
  /** As the client addressed this server, for URLs in answers: `127.0.0.1:5001`. */
  readonly host: string;
  readonly request: RequestContext;
  /** Decides and records what an operation needs beyond what it always needs. */
  authorize(permissions: readonly Permission[]): Promise<Decision>;
}

/** An operation with an input that was found good. */
export interface PreparedCall {
  /** All of them are needed. */
  readonly permissions: readonly Permission[];
  handle(): Promise<object>;
}

export interface Operation<ServiceContext> {
  /** A longer request is refused before it is read. */
  readonly bodyBytesLimit: number;
  prepare(call: Call<ServiceContext>, input: unknown): Validated<PreparedCall>;
}

export interface OperationDefinition<ServiceContext, Schema extends v.GenericSchema> {
  /** The shape of the input. Members that it does not name are ignored, as AWS ignores them. */
  readonly input: Schema;
  readonly bodyBytesLimit?: number;
  permission(
    call: Call<ServiceContext>,
    input: v.InferOutput<Schema>,
  ): Permission | readonly Permission[];
  /** Translates to a verb of the registry and back. Dates in the answer are epoch seconds. */
  handle(call: Call<ServiceContext>, input: v.InferOutput<Schema>): Promise<object>;
}

const bodyBytesLimit = 1024 * 1024;

export function defineOperation<ServiceContext, Schema extends v.GenericSchema>(
  definition: OperationDefinition<ServiceContext, Schema>,
): Operation<ServiceContext> {
  return {
    bodyBytesLimit: definition.bodyBytesLimit ?? bodyBytesLimit,
    prepare(call, input) {
      const validated = validate(definition.input, input);
      if ("violation" in validated) return validated;
      const permission = definition.permission(call, validated.output);
      return {
        output: {
          permissions: "action" in permission ? [permission] : permission,
          handle: () => definition.handle(call, validated.output),
        },
      };
    },
  };
}

/**
 * A shape of the AWS SDK as it travels: dates are epoch seconds. Gives handlers the SDK's types to
 * answer to.
 */
export type Wire<Shape> = Shape extends Date
  ? number
  : Shape extends readonly (infer Member)[]
    ? Wire<Member>[]
    : Shape extends object
      ? { [Name in keyof Shape]: Wire<Shape[Name]> }
      : Shape;

export function epochSeconds(milliseconds: number): number {
  return milliseconds / 1000;
}
