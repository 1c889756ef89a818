/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutAccountSetting.html */
import type { PutAccountSettingResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { accountSettings } from "../../../registry/account-settings.ts";
import { accountSettingKind } from "../../../registry/policy-kinds.ts";
import { putSetting } from "../../../registry/registry-setting.ts";
import type { Wire } from "../../operation.ts";
import { invalidParameter } from "../errors.ts";
import { operation } from "../operation.ts";
import { accountSettingName } from "../shapes.ts";

export const PutAccountSetting = operation({
  input: v.object({ name: accountSettingName, value: v.pipe(v.string(), v.minLength(1)) }),
  permission: (_call, { name }) => ({
    action: "ecr:PutAccountSetting",
    resource: "*",
    conditions: { "ecr:AccountSetting": name },
  }),
  async handle(call, { name, value }): Promise<Wire<PutAccountSettingResponse>> {
    const values = accountSettings.get(name)?.values ?? [];
    if (!values.includes(value)) {
      throw invalidParameter("value", `Member must satisfy enum value set: [${values.join(", ")}]`);
    }
    const { account, arn } = call.principal;
    const address = { account, name, actor: arn };
    await putSetting(call.service.registry, accountSettingKind, address, { value });
    return { name, value };
  },
});
