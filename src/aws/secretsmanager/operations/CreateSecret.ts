/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html */
import * as v from "valibot";
import { createSecret, encryptVersion } from "../../../access/secrets.ts";
import {
  clientRequestToken,
  description,
  operation,
  secretArn,
  secretName,
  secretString,
  tags,
} from "../operation.ts";

const suffixAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

export const CreateSecret = operation({
  input: v.object({
    Name: secretName,
    SecretString: secretString,
    ClientRequestToken: clientRequestToken,
    Description: description,
    Tags: tags,
  }),
  permission(call, { Name }) {
    const { region } = call.service.registry;
    const resource = secretArn(region, call.principal.account, Name, "000000");
    return { action: "secretsmanager:CreateSecret", resource };
  },
  async handle(call, input) {
    const { registry } = call.service;
    const { region, random, clock } = registry;
    const { account, arn: actor } = call.principal;
    const target = { account, name: input.Name, actor };
    const suffix = [...random.bytes(6)]
      .map((byte) => suffixAlphabet[byte % suffixAlphabet.length])
      .join("");
    const arn = secretArn(region, account, input.Name, suffix);
    const id = input.ClientRequestToken ?? random.uuid();
    const now = clock.now();
    await createSecret(call.service, target, {
      arn,
      description: input.Description,
      tags: Object.fromEntries((input.Tags ?? []).map(({ Key, Value }) => [Key, Value])),
      current: encryptVersion(call.service, target, input.SecretString, id),
      createdAt: now,
      changedAt: now,
    });
    return { ARN: arn, Name: input.Name, VersionId: id };
  },
});
