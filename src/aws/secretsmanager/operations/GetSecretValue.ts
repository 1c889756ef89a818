/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html */
import * as v from "valibot";
import { decryptVersion, findSecret, requireAlive } from "../../../access/secrets.ts";
import { AwsError } from "../../errors.ts";
import { epochSeconds } from "../../operation.ts";
import { onSecret, operation, optionalMember, secretId, targetOf } from "../operation.ts";

export const GetSecretValue = operation({
  input: v.object({
    SecretId: secretId,
    VersionId: optionalMember(v.pipe(v.string(), v.maxLength(64))),
    VersionStage: optionalMember(v.pipe(v.string(), v.maxLength(256))),
  }),
  permission: onSecret("GetSecretValue"),
  async handle(call, input) {
    const target = targetOf(call, input.SecretId);
    const secret = await findSecret(call.service, target.account, target.name);
    requireAlive(secret);
    const stages = [
      { stage: "AWSCURRENT", version: secret.current },
      { stage: "AWSPREVIOUS", version: secret.previous },
    ];
    const { VersionId: id, VersionStage: wanted = id === undefined ? "AWSCURRENT" : undefined } =
      input;
    const found = stages.find(
      ({ stage, version }) =>
        version !== undefined &&
        (id === undefined || version.id === id) &&
        (wanted === undefined || stage === wanted),
    );
    if (found?.version === undefined) {
      throw new AwsError(
        "ResourceNotFoundException",
        "Secrets Manager can't find the specified secret value for the given version.",
      );
    }
    const { stage, version } = found;
    return {
      ARN: secret.arn,
      Name: target.name,
      VersionId: version.id,
      SecretString: decryptVersion(call.service, target, version),
      VersionStages: [stage],
      CreatedDate: epochSeconds(version.createdAt),
    };
  },
});
