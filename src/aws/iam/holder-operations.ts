/** Operations on policies that users, groups and roles have alike; only the names differ. */
import type * as v from "valibot";
import { attachPolicy, detachPolicy } from "../../access/identities/attached-policies.ts";
import { requireIdentity } from "../../access/identities/identity-context.ts";
import type { HolderType, PolicyHolder } from "../../access/identities/identity-documents.ts";
import {
  deleteInlinePolicy,
  noSuchInlinePolicy,
  putInlinePolicy,
} from "../../access/identities/inline-policies.ts";
import { pathOfPolicy } from "../../access/identities/policy-document.ts";
import {
  arn,
  encodedDocument,
  groupName,
  type IamCall,
  operation,
  page,
  paged,
  pathPrefix,
  permissionOn,
  policyDocument,
  policyName,
  read,
  roleName,
  subjectInput,
  target,
  userName,
} from "./operation.ts";

const names = {
  user: { member: "UserName", schema: userName },
  group: { member: "GroupName", schema: groupName },
  role: { member: "RoleName", schema: roleName },
} as const;

const words = { user: "User", group: "Group", role: "Role" } as const;

function holderInput<Entries extends v.ObjectEntries>(type: HolderType, entries: Entries) {
  return subjectInput(names[type].member, names[type].schema, entries);
}

async function holderOf(call: IamCall, type: HolderType, name: string): Promise<PolicyHolder> {
  return requireIdentity(read(call), type, call.principal.account, name);
}

export function putPolicyOperation(type: HolderType) {
  return operation({
    input: holderInput(type, { PolicyName: policyName, PolicyDocument: policyDocument }),
    permission: (call, { subject: holder }) =>
      permissionOn(call, `iam:Put${words[type]}Policy`, type, holder),
    async handle(call, { subject: holder, PolicyName, PolicyDocument }) {
      const policy = { name: PolicyName, document: PolicyDocument };
      await putInlinePolicy(call.service.identities, type, target(call, holder), policy);
      return undefined;
    },
  });
}

export function getPolicyOperation(type: HolderType) {
  return operation({
    input: holderInput(type, { PolicyName: policyName }),
    permission: (call, { subject: holder }) =>
      permissionOn(call, `iam:Get${words[type]}Policy`, type, holder),
    async handle(call, { subject: holder, PolicyName }) {
      const { inlinePolicies } = await holderOf(call, type, holder);
      const document = Object.hasOwn(inlinePolicies, PolicyName)
        ? inlinePolicies[PolicyName]
        : undefined;
      if (document === undefined) throw noSuchInlinePolicy(type, PolicyName);
      const PolicyDocument = encodedDocument(document);
      return { [names[type].member]: holder, PolicyName, PolicyDocument };
    },
  });
}

export function listPoliciesOperation(type: HolderType) {
  return operation({
    input: holderInput(type, page),
    permission: (call, { subject: holder }) =>
      permissionOn(call, `iam:List${words[type]}Policies`, type, holder),
    async handle(call, input) {
      const { inlinePolicies } = await holderOf(call, type, input.subject);
      const all = Object.keys(inlinePolicies).sort();
      const { items, ...rest } = paged(all, (name) => name, input);
      return { PolicyNames: items, ...rest };
    },
  });
}

export function deletePolicyOperation(type: HolderType) {
  return operation({
    input: holderInput(type, { PolicyName: policyName }),
    permission: (call, { subject: holder }) =>
      permissionOn(call, `iam:Delete${words[type]}Policy`, type, holder),
    async handle(call, { subject: holder, PolicyName }) {
      await deleteInlinePolicy(call.service.identities, type, target(call, holder), PolicyName);
      return undefined;
    },
  });
}

export function attachPolicyOperation(type: HolderType) {
  return operation({
    input: holderInput(type, { PolicyArn: arn }),
    permission: (call, { subject: holder, PolicyArn }) =>
      permissionOn(call, `iam:Attach${words[type]}Policy`, type, holder, {
        "iam:PolicyARN": PolicyArn,
      }),
    async handle(call, { subject: holder, PolicyArn }) {
      await attachPolicy(call.service.identities, type, target(call, holder), PolicyArn);
      return undefined;
    },
  });
}

export function detachPolicyOperation(type: HolderType) {
  return operation({
    input: holderInput(type, { PolicyArn: arn }),
    permission: (call, { subject: holder, PolicyArn }) =>
      permissionOn(call, `iam:Detach${words[type]}Policy`, type, holder, {
        "iam:PolicyARN": PolicyArn,
      }),
    async handle(call, { subject: holder, PolicyArn }) {
      await detachPolicy(call.service.identities, type, target(call, holder), PolicyArn);
      return undefined;
    },
  });
}

export function listAttachedPoliciesOperation(type: HolderType) {
  return operation({
    input: holderInput(type, { ...page, PathPrefix: pathPrefix }),
    permission: (call, { subject: holder }) =>
      permissionOn(call, `iam:ListAttached${words[type]}Policies`, type, holder),
    async handle(call, input) {
      const { attachedPolicies } = await holderOf(call, type, input.subject);
      const prefix = input.PathPrefix ?? "/";
      const all = attachedPolicies
        .filter((policyArn) => pathOfPolicy(policyArn).startsWith(prefix))
        .sort();
      const { items, ...rest } = paged(all, (policyArn) => policyArn, input);
      const AttachedPolicies = items.map((PolicyArn) => ({
        PolicyName: PolicyArn.slice(PolicyArn.lastIndexOf("/") + 1),
        PolicyArn,
      }));
      return { AttachedPolicies, ...rest };
    },
  });
}
