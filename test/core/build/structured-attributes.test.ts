import assert from "node:assert/strict";
import { test } from "node:test";
import { formatStructuredAttributes } from "../../../core/build/structured-attributes.ts";

test("writes the members sorted, each as it was spelled, with the additions beside them", () => {
  const { json } = formatStructuredAttributes('{"z":1.0,"a":[1, {"}":"]"}],"big":12345678901234567890,"s":"a\\"b,"}', { outputs: { out: "/x" } });
  assert.equal(json, '{"a":[1, {"}":"]"}],"big":12345678901234567890,"outputs":{"out":"/x"},"s":"a\\"b,","z":1.0}');
});

test("declares for bash what bash can hold", () => {
  const { shell } = formatStructuredAttributes(
    JSON.stringify({ text: "it's", yes: true, no: false, n: null, int: 3, half: 1.5, list: ["a b", 2], nested: [[1]], map: { b: "2", a: true }, "not-a-name": "x" }),
    {},
  );
  assert.equal(
    shell,
    [
      "declare int=3",
      "declare -a list=('a b' 2 )",
      "declare -A map=(['a']=1 ['b']='2' )",
      "declare n=''",
      "declare no=",
      "declare text='it'\\''s'",
      "declare yes=1",
      "",
    ].join("\n"),
  );
});

test("refuses what is not an object", () => {
  assert.throws(() => formatStructuredAttributes("[1]", {}), { code: "build.bad-structured-attributes" });
  assert.throws(() => formatStructuredAttributes("{", {}), { code: "build.bad-structured-attributes" });
});

test("reads empty objects and blanks", () => {
  assert.equal(formatStructuredAttributes("{}", {}).json, "{}");
  assert.equal(formatStructuredAttributes(' { "a" : { } , "b" : [ ] } ', {}).json, '{"a":{ },"b":[ ]}');
});
