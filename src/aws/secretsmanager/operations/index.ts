/** Every operation of Secrets Manager that is here, by its name. */
import type { SecretsContext } from "../../../access/secrets.ts";
import type { Operation } from "../../operation.ts";
import { CreateSecret } from "./CreateSecret.ts";
import { DeleteSecret } from "./DeleteSecret.ts";
import { DescribeSecret } from "./DescribeSecret.ts";
import { GetSecretValue } from "./GetSecretValue.ts";
import { ListSecrets } from "./ListSecrets.ts";
import { PutSecretValue } from "./PutSecretValue.ts";
import { RestoreSecret } from "./RestoreSecret.ts";
import { UpdateSecret } from "./UpdateSecret.ts";

export const operations: Readonly<Record<string, Operation<SecretsContext>>> = {
  CreateSecret,
  DeleteSecret,
  DescribeSecret,
  GetSecretValue,
  ListSecrets,
  PutSecretValue,
  RestoreSecret,
  UpdateSecret,
};
