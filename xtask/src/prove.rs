//! `cargo prove`: what an SMT solver can say about the policies.
//!
//! 1. No policy errs, whatever is asked (a `forbid` that errs is skipped).
//! 2. No clause is idle: without it some request that was denied is allowed.
//!    The solver names such a request, and Cedar's own evaluator confirms it.
//! 3. The prover can fail: an overflow is found, with the request.

use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;
use std::str::FromStr as _;
use std::time::Instant;

use cedar_policy::{Authorizer, Decision, Effect, Policy, PolicyId, PolicySet, RequestEnv, Schema};
use cedar_policy_symcc::solver::LocalSolver;
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicy, CompiledPolicySet};
use terms::{Catalogue, HOUSE, SCHEMA};

/// An overflow that strict validation lets pass.
const OVERFLOW: &str = r#"
@id("overflow")
forbid (principal, action, resource)
when { context.requestedTokens + 1 > 1000000 };
"#;
const OVERFLOW_SCHEMA: &str = "entity Account; entity Model; action infer appliesTo \
    { principal: Account, resource: Model, context: { \"requestedTokens\": Long } };";

type Solver = CedarSymCompiler<LocalSolver>;

/// Proves all of it, and says what was proven.
pub fn run() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let proven = runtime
        .map_err(|e| e.to_string())
        .and_then(|runtime| runtime.block_on(prove()));
    match proven {
        Ok(line) => {
            say(&line);
            ExitCode::SUCCESS
        }
        Err(why) => {
            let _ = writeln!(std::io::stderr().lock(), "not proven: {why}");
            ExitCode::from(1)
        }
    }
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

fn failed(what: &str) -> impl Fn(&dyn Display) -> String + '_ {
    move |why| format!("{what}: {why}")
}

async fn prove() -> Result<String, String> {
    let started = Instant::now();
    let missing = |e: &dyn Display| {
        format!("no solver: {e}; install Debian's package `cvc5`, or name one in CVC5")
    };
    let solver = LocalSolver::cvc5_with_args(["--tlimit-per=60000"]).map_err(|e| missing(&e))?;
    let mut solver = CedarSymCompiler::new(solver).map_err(|e| missing(&e))?;
    can_fail(&mut solver).await?;
    let (schema, _) = Schema::from_cedarschema_str(SCHEMA).map_err(|e| e.to_string())?;
    let house = named("house", HOUSE)?;
    let catalogue = Catalogue::builtin().map_err(|e| e.to_string())?;
    let mut never_err = no_errors(&mut solver, &schema, &house).await?;
    let mut idle_none = 0;
    for version in catalogue.versions() {
        let own = named(&version.slug(), version.policies())?;
        never_err += no_errors(&mut solver, &schema, &own).await?;
        let mut all = house.clone();
        all.extend(own.iter().cloned());
        let weakened = none_idle(&mut solver, &schema, &all, &own).await?;
        say(&format!(
            "{}: {} policies never err; {} are missed when they go, for example:\n    {}",
            version.slug(),
            own.len(),
            weakened.len(),
            weakened.first().map_or("none forbids", String::as_str)
        ));
        idle_none += weakened.len();
    }
    Ok(format!(
        "{never_err} times proven that a policy never errs, {idle_none} policies not idle, in {} s",
        started.elapsed().as_secs()
    ))
}

/// The policies of one source, each under a name of its own.
fn named(file: &str, text: &str) -> Result<Vec<Policy>, String> {
    let read = PolicySet::from_str(text).map_err(|e| failed(file)(&e))?;
    let policies = read.policies().map(|policy| {
        let id = policy.annotation("id").unwrap_or_default();
        policy.new_id(PolicyId::new(format!("{file}/{id}")))
    });
    Ok(policies.collect())
}

/// How often it was proven that one of `policies` never errs: once for each
/// kind of request.
async fn no_errors(
    solver: &mut Solver,
    schema: &Schema,
    policies: &[Policy],
) -> Result<usize, String> {
    let mut proven = 0;
    for policy in policies {
        let fault = format!("policy `{}`", policy.id());
        let failed = failed(&fault);
        for env in schema.request_envs() {
            let compiled = CompiledPolicy::compile(policy, &env, schema).map_err(|e| failed(&e))?;
            let found = solver
                .check_never_errors_with_counterexample_opt(&compiled)
                .await
                .map_err(|e| failed(&e))?;
            if let Some(found) = found {
                return Err(failed(&format!(
                    "may err, for example on {}",
                    found.request
                )));
            }
            proven += 1;
        }
    }
    Ok(proven)
}

/// For each `forbid` of `own`: a request that is denied only because of it.
async fn none_idle(
    solver: &mut Solver,
    schema: &Schema,
    all: &[Policy],
    own: &[Policy],
) -> Result<Vec<String>, String> {
    let mut missed = Vec::new();
    for policy in own
        .iter()
        .filter(|policy| policy.effect() == Effect::Forbid)
    {
        let rest: Vec<&Policy> = all
            .iter()
            .filter(|other| other.id() != policy.id())
            .collect();
        let (before, after) = (set(&all.iter().collect::<Vec<_>>())?, set(&rest)?);
        let mut found = None;
        for env in schema.request_envs() {
            found = found.or(freed(solver, schema, &env, &before, &after).await?);
        }
        match found {
            Some(request) => missed.push(format!("without `{}`: {request}", policy.id())),
            None => {
                return Err(format!(
                    "policy `{}` is idle: every request is decided alike without it",
                    policy.id()
                ));
            }
        }
    }
    Ok(missed)
}

fn set(policies: &[&Policy]) -> Result<PolicySet, String> {
    PolicySet::from_policies(policies.iter().map(|policy| (*policy).clone()))
        .map_err(|e| e.to_string())
}

/// A request that `before` denies and `after` allows, confirmed by evaluation.
async fn freed(
    solver: &mut Solver,
    schema: &Schema,
    env: &RequestEnv,
    before: &PolicySet,
    after: &PolicySet,
) -> Result<Option<String>, String> {
    let failed = failed("comparison");
    let compile =
        |policies| CompiledPolicySet::compile(policies, env, schema).map_err(|e| failed(&e));
    let (strict, weak) = (compile(before)?, compile(after)?);
    let found = solver
        .check_implies_with_counterexample_opt(&weak, &strict)
        .await
        .map_err(|e| failed(&e))?;
    let Some(found) = found else {
        return Ok(None);
    };
    let decide = |policies| {
        Authorizer::new()
            .is_authorized(&found.request, policies, &found.entities)
            .decision()
    };
    if decide(before) != Decision::Deny || decide(after) != Decision::Allow {
        return Err(failed(&format!(
            "the evaluator does not confirm the solver on {}",
            found.request
        )));
    }
    Ok(Some(found.request.to_string()))
}

/// An overflow must be found.
async fn can_fail(solver: &mut Solver) -> Result<(), String> {
    let (schema, _) = Schema::from_cedarschema_str(OVERFLOW_SCHEMA).map_err(|e| e.to_string())?;
    let policies = named("overflow", OVERFLOW)?;
    match no_errors(solver, &schema, &policies).await {
        Err(found) => {
            say(&format!("the prover can fail: {found}"));
            Ok(())
        }
        Ok(_) => Err("the prover missed an overflow: it proves nothing".to_owned()),
    }
}
