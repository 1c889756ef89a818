/** A target of a rule as EventBridge's API has it, and as a rule keeps it. */
import type { Target } from "@aws-sdk/client-eventbridge";
import * as v from "valibot";
import type { RuleTarget } from "../../events/rule-documents.ts";
import { arn, name, optional, validation } from "./operation.ts";

const inputText = v.pipe(v.string(), v.maxLength(8192));

export const targetShape = v.object({
  Id: name,
  Arn: arn,
  RoleArn: optional(arn),
  Input: optional(inputText),
  InputPath: optional(v.pipe(v.string(), v.maxLength(256))),
  InputTransformer: optional(
    v.object({
      InputPathsMap: optional(
        v.pipe(
          v.record(
            v.pipe(v.string(), v.minLength(1), v.maxLength(256), v.regex(/^[A-Za-z0-9_-]+$/)),
            v.pipe(v.string(), v.maxLength(256)),
          ),
          v.check((map) => Object.keys(map).length <= 100, "Member must have at most 100 entries"),
        ),
      ),
      InputTemplate: v.pipe(v.string(), v.minLength(1), v.maxLength(8192)),
    }),
  ),
  RetryPolicy: optional(
    v.object({
      MaximumRetryAttempts: optional(
        v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(185)),
      ),
      MaximumEventAgeInSeconds: optional(
        v.pipe(v.number(), v.integer(), v.minValue(60), v.maxValue(86_400)),
      ),
    }),
  ),
  DeadLetterConfig: optional(v.unknown()),
  HttpParameters: optional(v.unknown()),
});

/** @throws ValidationException for what would otherwise be passed over in silence */
export function targetOf(shape: v.InferOutput<typeof targetShape>): RuleTarget {
  if (shape.DeadLetterConfig !== undefined) {
    throw validation(
      "DeadLetterConfig is not supported: dead letters of every target are kept by the server (portolan events dead-letters).",
    );
  }
  if (shape.HttpParameters !== undefined) throw validation("HttpParameters is not supported.");
  const { InputTransformer: transformer, RetryPolicy: retry } = shape;
  return {
    id: shape.Id,
    arn: shape.Arn,
    roleArn: shape.RoleArn,
    input: shape.Input,
    inputPath: shape.InputPath,
    inputTransformer: transformer && {
      paths: transformer.InputPathsMap ?? {},
      template: transformer.InputTemplate,
    },
    attemptsLimit: retry?.MaximumRetryAttempts,
    ageLimitMilliseconds:
      retry?.MaximumEventAgeInSeconds === undefined
        ? undefined
        : retry.MaximumEventAgeInSeconds * 1000,
  };
}

export function shapeOf(target: RuleTarget): Target {
  const { inputTransformer: transformer, attemptsLimit, ageLimitMilliseconds: age } = target;
  return {
    Id: target.id,
    Arn: target.arn,
    ...(target.roleArn !== undefined && { RoleArn: target.roleArn }),
    ...(target.input !== undefined && { Input: target.input }),
    ...(target.inputPath !== undefined && { InputPath: target.inputPath }),
    ...(transformer !== undefined && {
      InputTransformer: {
        InputPathsMap: { ...transformer.paths },
        InputTemplate: transformer.template,
      },
    }),
    ...((attemptsLimit !== undefined || age !== undefined) && {
      RetryPolicy: {
        ...(attemptsLimit !== undefined && { MaximumRetryAttempts: attemptsLimit }),
        ...(age !== undefined && { MaximumEventAgeInSeconds: age / 1000 }),
      },
    }),
  };
}
