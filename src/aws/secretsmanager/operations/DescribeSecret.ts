/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html */
import * as v from "valibot";
import { findSecret } from "../../../access/secrets.ts";
import { secretShape } from "../describe-shape.ts";
import { onSecret, operation, secretId, targetOf } from "../operation.ts";

export const DescribeSecret = operation({
  input: v.object({ SecretId: secretId }),
  permission: onSecret("DescribeSecret"),
  async handle(call, input) {
    const { account, name } = targetOf(call, input.SecretId);
    return secretShape(name, await findSecret(call.service, account, name), "VersionIdsToStages");
  },
});
