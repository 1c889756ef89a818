/** Defines an operation of Secrets Manager, with what they have in common. */
import * as v from "valibot";
import type { Permission } from "../../access/access.ts";
import { type SecretsContext, type SecretTarget, secretNameOf } from "../../access/secrets.ts";
import { AwsError } from "../errors.ts";
import {
  type Call,
  defineOperation,
  type Operation,
  type OperationDefinition,
} from "../operation.ts";

export type SecretsCall = Call<SecretsContext>;

export function operation<Schema extends v.GenericSchema>(
  definition: OperationDefinition<SecretsContext, Schema>,
): Operation<SecretsContext> {
  return defineOperation(definition);
}

const optional = <Schema extends v.GenericSchema>(schema: Schema) =>
  v.nullish(schema, () => undefined);

export const secretName = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(512),
  v.regex(/^[A-Za-z0-9/_+=.@-]+$/),
);
/** A name or an ARN. */
export const secretId = v.pipe(v.string(), v.minLength(1), v.maxLength(2048));
export const secretString = v.pipe(v.string(), v.minLength(1), v.maxLength(65_536));
export const clientRequestToken = optional(v.pipe(v.string(), v.minLength(32), v.maxLength(64)));
export const description = optional(v.pipe(v.string(), v.maxLength(2048)));
export const tags = optional(
  v.pipe(
    v.array(
      v.object({
        Key: v.pipe(v.string(), v.minLength(1), v.maxLength(128)),
        Value: v.pipe(v.string(), v.maxLength(256)),
      }),
    ),
    v.maxLength(50),
  ),
);
export const optionalMember = optional;

/** The secret that an id means, with who acts. @throws ResourceNotFoundException */
export function targetOf(call: SecretsCall, id: string): SecretTarget {
  const { region } = call.service.registry;
  const { account, arn } = call.principal;
  const named = secretNameOf(id, { region, account });
  if (named === undefined) {
    throw new AwsError(
      "ResourceNotFoundException",
      "Secrets Manager can't find the specified secret.",
    );
  }
  return { ...named, actor: arn };
}

/** Permission for an action on the secret that an id means. */
export function onSecret(action: string) {
  return (call: SecretsCall, input: { SecretId: string }): Permission => {
    const { region } = call.service.registry;
    const { account } = call.principal;
    const named = secretNameOf(input.SecretId, { region, account });
    return {
      action: `secretsmanager:${action}`,
      // The end of an ARN is not known from a name alone; policies end in a wildcard for it.
      resource: input.SecretId.startsWith("arn:")
        ? input.SecretId
        : secretArn(region, account, input.SecretId, "000000"),
      ...(named !== undefined && { account: named.account }),
    };
  };
}

export function secretArn(region: string, account: string, name: string, suffix: string): string {
  return `arn:aws:secretsmanager:${region}:${account}:secret:${name}-${suffix}`;
}
