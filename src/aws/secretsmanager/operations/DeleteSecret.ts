/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html */
import * as v from "valibot";
import { changeSecret, findSecret, requireAlive } from "../../../access/secrets.ts";
import { AwsError } from "../../errors.ts";
import { epochSeconds } from "../../operation.ts";
import { onSecret, operation, optionalMember, secretId, targetOf } from "../operation.ts";

const dayMilliseconds = 24 * 3600_000;

export const DeleteSecret = operation({
  input: v.object({
    SecretId: secretId,
    RecoveryWindowInDays: optionalMember(
      v.pipe(v.number(), v.integer(), v.minValue(7), v.maxValue(30)),
    ),
    ForceDeleteWithoutRecovery: optionalMember(v.boolean()),
  }),
  permission: onSecret("DeleteSecret"),
  async handle(call, input) {
    const target = targetOf(call, input.SecretId);
    const { RecoveryWindowInDays: days, ForceDeleteWithoutRecovery: force } = input;
    if (force && days !== undefined) {
      throw new AwsError(
        "InvalidParameterException",
        "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
      );
    }
    const now = call.service.registry.clock.now();
    const { arn } = await findSecret(call.service, target.account, target.name);
    await changeSecret(call.service, target, (present) => {
      if (force) return undefined;
      requireAlive(present);
      return { ...present, deletedAt: now, deleteAt: now + (days ?? 30) * dayMilliseconds };
    });
    const deletionDate = force ? now : now + (days ?? 30) * dayMilliseconds;
    return { ARN: arn, Name: target.name, DeletionDate: epochSeconds(deletionDate) };
  },
});
