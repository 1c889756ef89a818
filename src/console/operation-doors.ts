/**
 * `POST /console/api/ecr/DescribeRepositories`: every operation of the AWS services, with the
 * session's credentials instead of a signature. The very same tables, checks and permissions.
 */
import type { RequestFacts } from "../access/access.ts";
import type { AccessKey } from "../access/credentials.ts";
import { type EcrContext, ecrService } from "../aws/ecr/service.ts";
import { unknownOperation } from "../aws/errors.ts";
import { type IdentityServiceContext, identityServices } from "../aws/identity-services.ts";
import { type JsonService, type OperationGate, performOperation } from "../aws/json-protocol.ts";
import { performQueryOperation } from "../aws/query-protocol.ts";
import { secretsService } from "../aws/secretsmanager/service.ts";
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
  /** `ecr`, `secretsmanager`, `iam`, `sts` */
  readonly services: readonly string[];
  /** Bytes that a request for it may have; undefined when there is no such operation. */
  bodyBytesLimit(service: string, operation: string): number | undefined;
  /** @throws AwsError, and the errors of the registry and of identities */
  perform(service: string, operation: string, call: OperationCall): Promise<object>;
}

const formBytesLimit = 512 * 1024;
const nestingLimit = 10;

/** A service whose operations take JSON, with its context inside. */
interface JsonDoor {
  bodyBytesLimit(operation: string): number | undefined;
  perform(operation: string, call: OperationCall): Promise<object>;
}

function jsonDoor<ServiceContext>(
  service: JsonService<ServiceContext>,
  gate: OperationGate,
): JsonDoor {
  const find = (name: string) =>
    Object.hasOwn(service.operations, name) ? service.operations[name] : undefined;
  return {
    bodyBytesLimit: (name) => find(name)?.bodyBytesLimit,
    async perform(name, call) {
      const operation = find(name);
      if (operation === undefined) throw unknownOperation();
      return performOperation(service, gate, { ...call, name, operation });
    },
  };
}

export function operationDoors(
  gate: OperationGate,
  { ecr: ecrContext, identities }: { ecr: EcrContext; identities: IdentityServiceContext },
): OperationDoors {
  const ecr = ecrService(ecrContext);
  const secrets = secretsService(identities.identities);
  const json = new Map<string, JsonDoor>([
    [ecr.signingName, jsonDoor(ecr, gate)],
    [secrets.signingName, jsonDoor(secrets, gate)],
  ]);
  const forms = identityServices(identities);
  const formService = (service: string, name: string) =>
    forms.find(
      ({ signingName, operations }) => signingName === service && Object.hasOwn(operations, name),
    );
  return {
    services: [...json.keys(), ...forms.map(({ signingName }) => signingName)],
    bodyBytesLimit(service, name) {
      const door = json.get(service);
      if (door !== undefined) return door.bodyBytesLimit(name);
      return formService(service, name) && formBytesLimit;
    },
    async perform(service, name, call) {
      const door = json.get(service);
      if (door !== undefined) return door.perform(name, call);
      const form = formService(service, name);
      if (form === undefined) throw unknownOperation();
      const input = asForm(call.input);
      return (await performQueryOperation(form, gate, { ...call, input, name })) ?? {};
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
