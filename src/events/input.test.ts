/** What a target gets of an event. */
import { describe, expect, test } from "bun:test";
import { EventsError } from "./errors.ts";
import type { EventEnvelope } from "./event.ts";
import { checkInput, inputOf } from "./input.ts";

const event: EventEnvelope = {
  version: "0",
  id: "1",
  "detail-type": "ECR Image Action",
  source: "aws.ecr",
  account: "111122223333",
  time: "2026-12-01T12:00:00Z",
  region: "us-east-1",
  resources: ["arn:a"],
  detail: { "repository-name": 'a"b', tags: ["x", "y"], size: 3 },
};
const rule = { name: "r", arn: "arn:rule" };
const target = { id: "t", arn: "arn:t" };

describe("input", () => {
  test("is the event", () => expect(inputOf(target, event, rule)).toBe(event));
  test("is a fixed text", () => {
    expect(inputOf({ ...target, input: '{"a":1}' }, event, rule)).toEqual({ a: 1 });
  });
  test("is a part", () => {
    const at = (inputPath: string) => inputOf({ ...target, inputPath }, event, rule);
    expect(at("$.detail")).toEqual(event.detail);
    expect(at("$.detail.tags[1]")).toBe("y");
    expect(at("$.detail['repository-name']")).toBe('a"b');
    expect(at("$.detail.none")).toBeNull();
  });
  test("is made by a template: text in quotes, JSON outside", () => {
    const inputTransformer = {
      paths: { name: "$.detail.repository-name", tags: "$.detail.tags", none: "$.x" },
      template:
        '{"text": "of <name> <none>.", "tags": <tags>, "name": <name>, "rule": <aws.events.rule-name>}',
    };
    expect(inputOf({ ...target, inputTransformer }, event, rule)).toEqual({
      ...{ text: 'of a"b .', tags: ["x", "y"], name: 'a"b', rule: "r" },
    });
  });
  test("may be plain text", () => {
    const inputTransformer = { paths: { size: "$.detail.size" }, template: "size <size>!" };
    expect(inputOf({ ...target, inputTransformer }, event, rule)).toBe("size 3!");
  });
  test("is refused when it is not sound", () => {
    const wrong = [
      { input: "{" },
      { inputPath: "detail" },
      { input: "1", inputPath: "$.a" },
      { inputTransformer: { paths: {}, template: "<a>" } },
      { inputTransformer: { paths: { a: "$..a" }, template: "<a>" } },
    ];
    for (const input of wrong) {
      expect(() => checkInput({ ...target, ...input })).toThrow(EventsError);
    }
  });
});
