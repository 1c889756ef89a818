/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecret.html */
import * as v from "valibot";
import { changeSecret, encryptVersion, findSecret, requireAlive } from "../../../access/secrets.ts";
import {
  clientRequestToken,
  description,
  onSecret,
  operation,
  optionalMember,
  secretId,
  secretString,
  targetOf,
} from "../operation.ts";

export const UpdateSecret = operation({
  input: v.object({
    SecretId: secretId,
    SecretString: optionalMember(secretString),
    Description: description,
    ClientRequestToken: clientRequestToken,
  }),
  permission: onSecret("UpdateSecret"),
  async handle(call, input) {
    const target = targetOf(call, input.SecretId);
    const { random, clock } = call.service.registry;
    const { SecretString: text, Description: words } = input;
    const id = input.ClientRequestToken ?? random.uuid();
    await changeSecret(call.service, target, (present) => {
      requireAlive(present);
      return {
        ...present,
        ...(words !== undefined && { description: words }),
        ...(text !== undefined &&
          present.current.id !== id && {
            current: encryptVersion(call.service, target, text, id),
            previous: present.current,
          }),
        changedAt: clock.now(),
      };
    });
    const { arn } = await findSecret(call.service, target.account, target.name);
    return { ARN: arn, Name: target.name, ...(text !== undefined && { VersionId: id }) };
  },
});
