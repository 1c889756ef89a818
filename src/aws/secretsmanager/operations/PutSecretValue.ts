/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html */
import * as v from "valibot";
import { changeSecret, encryptVersion, findSecret, requireAlive } from "../../../access/secrets.ts";
import {
  clientRequestToken,
  onSecret,
  operation,
  secretId,
  secretString,
  targetOf,
} from "../operation.ts";

export const PutSecretValue = operation({
  input: v.object({
    SecretId: secretId,
    SecretString: secretString,
    ClientRequestToken: clientRequestToken,
  }),
  permission: onSecret("PutSecretValue"),
  async handle(call, input) {
    const target = targetOf(call, input.SecretId);
    const { registry } = call.service;
    const id = input.ClientRequestToken ?? registry.random.uuid();
    const version = encryptVersion(call.service, target, input.SecretString, id);
    await changeSecret(call.service, target, (present) => {
      requireAlive(present);
      // The same token again is the same request again.
      if (present.current.id === id) return present;
      return {
        ...present,
        current: version,
        previous: present.current,
        changedAt: version.createdAt,
      };
    });
    const { arn } = await findSecret(call.service, target.account, target.name);
    return { ARN: arn, Name: target.name, VersionId: id, VersionStages: ["AWSCURRENT"] };
  },
});
