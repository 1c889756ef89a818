/** What an operation of the Query protocol is made of; query-protocol.ts runs it, check by check. */
import * as v from "valibot";
import type { Permission, RequestFacts } from "../access/access.ts";
import type { Call } from "./operation.ts";
import { type Validated, validate } from "./validation.ts";

export interface QueryCall<ServiceContext> extends Call<ServiceContext> {
  readonly facts: RequestFacts;
}

export interface PreparedQuery {
  /** All of them are needed. They may name what is looked up: an ARN has the path of its user. */
  permissions(): Promise<readonly Permission[]>;
  /** Undefined when there is nothing to tell. */
  handle(): Promise<object | undefined>;
}

export interface QueryOperation<ServiceContext> {
  prepare(call: QueryCall<ServiceContext>, input: unknown): Validated<PreparedQuery>;
}

type MayWait<Value> = Value | Promise<Value>;

export interface QueryOperationDefinition<ServiceContext, Schema extends v.GenericSchema> {
  /** Members that it does not name are ignored. */
  readonly input: Schema;
  permission(
    call: QueryCall<ServiceContext>,
    input: v.InferOutput<Schema>,
  ): MayWait<Permission | readonly Permission[]>;
  /** Dates in the answer are `Date`. */
  handle(
    call: QueryCall<ServiceContext>,
    input: v.InferOutput<Schema>,
  ): Promise<object | undefined>;
}

export function defineQueryOperation<ServiceContext, Schema extends v.GenericSchema>(
  definition: QueryOperationDefinition<ServiceContext, Schema>,
): QueryOperation<ServiceContext> {
  return {
    prepare(call, input) {
      const validated = validate(definition.input, input);
      if ("violation" in validated) return validated;
      return {
        output: {
          async permissions() {
            const permission = await definition.permission(call, validated.output);
            return "action" in permission ? [permission] : permission;
          },
          handle: () => definition.handle(call, validated.output),
        },
      };
    },
  };
}

/** A member that may be left out. */
export function optional<Schema extends v.GenericSchema>(schema: Schema) {
  return v.optional(schema);
}

export function text(minimum: number, maximum: number, pattern = /^[\s\S]*$/) {
  return v.pipe(v.string(), v.minLength(minimum), v.maxLength(maximum), v.regex(pattern));
}

export function integer(minimum: number, maximum: number) {
  return v.pipe(
    v.string(),
    v.regex(/^-?[0-9]{1,15}$/),
    v.transform(Number),
    v.minValue(minimum),
    v.maxValue(maximum),
  );
}

export const flag = v.pipe(
  v.picklist(["true", "false"]),
  v.transform((value) => value === "true"),
);

/** Clients send a list without members as an empty text. */
export function list<Schema extends v.GenericSchema>(schema: Schema, maximum: number) {
  const empty = v.pipe(
    v.literal(""),
    v.transform((): v.InferOutput<Schema>[] => []),
  );
  const members = v.pipe(v.array(schema), v.maxLength(maximum));
  return v.optional(v.lazy((input: unknown) => (input === "" ? empty : members)));
}
