// Decides every replay on stdin anew with Cedar's own WebAssembly build, and compares decision
// and deciding policies. Ends with 1 at the first difference, or when too little was compared.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const cedar = createRequire(import.meta.url)("@cedar-policy/cedar-wasm/nodejs");
const sets = new Map();
const seen = { allow: 0, deny: 0 };

function fail(why, replay) {
  console.error(`${why}\n${JSON.stringify(replay)}`);
  process.exit(1);
}

for await (const line of createInterface({ input: process.stdin })) {
  const replay = JSON.parse(line);
  if (replay.policies) {
    sets.set(replay.sha256, replay);
    continue;
  }
  const { policies, schema } = sets.get(replay.policy_sha256);
  const answer = cedar.isAuthorized({
    principal: replay.principal,
    action: replay.action,
    resource: replay.resource,
    context: replay.context,
    entities: replay.entities,
    schema,
    validateRequest: true,
    policies: { staticPolicies: policies, templates: {}, templateLinks: [] },
  });
  if (answer.type !== "success") fail(`cedar-wasm: ${JSON.stringify(answer.errors)}`, replay);
  const { decision, diagnostics } = answer.response;
  if (diagnostics.errors.length > 0) fail("cedar-wasm reports evaluation errors", replay);
  const reason = [...diagnostics.reason].sort();
  if (decision !== replay.decision || reason.join("\n") !== [...replay.reason].sort().join("\n")) {
    fail(`cedar-wasm says ${decision} because of ${reason}`, replay);
  }
  seen[decision] += 1;
}

const all = seen.allow + seen.deny;
console.log(`${all} requests under ${sets.size} policy sets decided alike: ${seen.allow} allow, ${seen.deny} deny`);
if (all < 5000) fail("fewer than 5,000 requests were compared", seen);
if (Math.min(seen.allow, seen.deny) < all / 10) fail("one decision is hardly represented", seen);
