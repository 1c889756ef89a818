/** Policies of repositories and registries, as inputs. */
import { registryPolicyActionsV1 } from "../../access/ecr-actions.ts";
import { PolicyError, parsePolicy } from "../../access/policy/parse-policy.ts";
import type { Policy } from "../../access/policy/policy.ts";
import type { RegistryPolicyScope } from "../../access/policy-source.ts";
import { invalidParameter } from "./errors.ts";

/** @throws InvalidParameterException */
export function checkRepositoryPolicy(text: string, parameter = "PolicyText"): Policy {
  return parse(text, "repository", parameter);
}

/** @throws InvalidParameterException */
export function checkRegistryPolicy(text: string, scope: RegistryPolicyScope): Policy {
  const policy = parse(text, "registry", "PolicyText");
  const admitted = policy.statements.every(
    ({ action }) =>
      !action.negated && action.patterns.every((name) => registryPolicyActionsV1.has(name)),
  );
  if (scope === "V1" && !admitted) throw invalid("PolicyText", "registry");
  return policy;
}

function parse(text: string, type: "repository" | "registry", parameter: string): Policy {
  try {
    return parsePolicy(text, type);
  } catch (error) {
    if (error instanceof PolicyError) throw invalid(parameter, type);
    throw error;
  }
}

const invalid = (parameter: string, type: string) =>
  invalidParameter(parameter, `Invalid ${type} policy provided`);
