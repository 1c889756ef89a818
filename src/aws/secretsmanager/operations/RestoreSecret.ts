/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RestoreSecret.html */
import * as v from "valibot";
import { changeSecret, findSecret } from "../../../access/secrets.ts";
import { onSecret, operation, secretId, targetOf } from "../operation.ts";

export const RestoreSecret = operation({
  input: v.object({ SecretId: secretId }),
  permission: onSecret("RestoreSecret"),
  async handle(call, input) {
    const target = targetOf(call, input.SecretId);
    await changeSecret(call.service, target, ({ deletedAt: _, deleteAt: __, ...kept }) => kept);
    const { arn } = await findSecret(call.service, target.account, target.name);
    return { ARN: arn, Name: target.name };
  },
});
