/**
 * `POST /console/api/ecr/DescribeRepositories`: every operation of the AWS services, with the
 * session's credentials instead of a signature. The very same tables, checks and permissions.
 */
import type { Access, RequestFacts } from "../access/access.ts";
import type { AccessKey } from "../access/credentials.ts";
import type { EcrContext } from "../aws/ecr/service.ts";
import { ecrService } from "../aws/ecr/service.ts";
import { unknownOperation } from "../aws/errors.ts";
import { type IdentityServiceContext, identityServices } from "../aws/identity-services.ts";
import { performOperation } from "../aws/json-protocol.ts";
import { performQueryOperation } from "../aws/query-protocol.ts";
import type { RequestContext } from "../runtime/request.ts";
import { ConsoleError } from "./errors.ts";

export interface OperationCall {
  readonly key: AccessKey;
  readonly input: unknown;
  readonly host: string;
  readonly context: RequestContext;
  readonly facts: RequestFacts;
}

export interface OperationDoors {
  /** `ecr`, `iam`, `sts` */
  readonly services: readonly string[];
  /** Bytes that a request for it may have; undefined when there is no such operation. */
  bodyBytesLimit(service: string, operation: string): number | undefined;
  /** @throws AwsError, and the errors of the registry and of identities */
  perform(service: string, operation: string, call: OperationCall): Promise<object>;
}

const formBytesLimit = 512 * 1024;
const nestingLimit = 10;

export function operationDoors(
  access: Access,
  { ecr: ecrContext, identities }: { ecr: EcrContext; identities: IdentityServiceContext },
): OperationDoors {
  const ecr = ecrService(ecrContext);
  const forms = identityServices(identities);
  const ecrOperation = (name: string) =>
    Object.hasOwn(ecr.operations, name) ? ecr.operations[name] : undefined;
  const formService = (service: string, name: string) =>
    forms.find(
      ({ signingName, operations }) => signingName === service && Object.hasOwn(operations, name),
    );
  return {
    services: [ecr.signingName, ...forms.map(({ signingName }) => signingName)],
    bodyBytesLimit(service, name) {
      if (service === ecr.signingName) return ecrOperation(name)?.bodyBytesLimit;
      return formService(service, name) && formBytesLimit;
    },
    async perform(service, name, call) {
      if (service === ecr.signingName) {
        const operation = ecrOperation(name);
        if (operation === undefined) throw unknownOperation();
        return performOperation(ecr, access, { ...call, name, operation });
      }
      const form = formService(service, name);
      if (form === undefined) throw unknownOperation();
      const input = asForm(call.input);
      return (await performQueryOperation(form, access, { ...call, input, name })) ?? {};
    },
  };
}

/** JSON in the shape of a form: numbers and booleans become texts, and what is null is not there. */
function asForm(value: unknown, depth = 0): unknown {
  if (depth > nestingLimit) {
    throw new ConsoleError("InvalidInput", `nested more than ${nestingLimit} levels deep`);
  }
  if (Array.isArray(value)) return value.map((member) => asForm(member, depth + 1));
  if (typeof value === "object" && value !== null) {
    const form: Record<string, unknown> = Object.create(null);
    for (const [name, member] of Object.entries(value)) {
      if (member !== null) form[name] = asForm(member, depth + 1);
    }
    return form;
  }
  return String(value);
}
