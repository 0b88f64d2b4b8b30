//! The engine: admits, settles, and carries what people decided.

mod judged;
mod usage;

use std::collections::HashMap;

use facts::{
    AccountId, ClauseId, Endpoint, ExchangeId, KeyId, MicroUsd, ModelName, Span, Timestamp, Usage,
};
use terms::{Country, Exceeded, Purpose};

use crate::ask::{Admitted, Ask, Completion, Refusal};
use crate::command::{Command, CommandError, Scope, plan};
use crate::directory::{Account, Directory, KeyRow, Row};
use crate::effect::{Alert, Charge, Denial, Effect, Entry};
use crate::judge::{Judge, Question, Ruling, Verdict};
use crate::key::{Key, KeyDigest};
use crate::prices::Prices;
use crate::quota::{Chain, Denied, Limits, MeterId, Need, Quota, Settled, TOKENS_PER_EXCHANGE_MAX};

use judged::{Judged, purpose_of, unruled};
use usage::Usages;

/// Rulings kept at most; beyond it all are forgotten at once, so that a client
/// that invents model names costs evaluations, not memory.
const RULINGS_MAX: usize = 65_536;

/// Whether denials by the terms and measures of cases are carried out.
/// Keys, quotas and budgets always are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Recorded as what would have happened; nobody is refused.
    Shadow,
    /// Carried out.
    Enforced,
}

/// What must be decided before an engine can run.
#[derive(Debug)]
pub struct Config {
    /// Shadow or enforced.
    pub mode: Mode,
    /// Who evaluates the terms.
    pub judge: Box<dyn Judge>,
    /// What models cost.
    pub prices: Prices,
    /// How long a reservation lives without being settled; longer than any stream.
    pub lease: Span,
    /// How long an ended exchange's id is remembered.
    pub memory: Span,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Asked {
    key: KeyId,
    model: ModelName,
    endpoint: Endpoint,
    purpose: Option<Purpose>,
    country: Option<Country>,
    exceeded: Exceeded,
    /// The account's row as it was then: any change of it is another question.
    version: u64,
}

/// The whole product's state, without I/O.
#[derive(Debug)]
pub struct Engine {
    config: Config,
    directory: Directory,
    quota: Quota,
    meters: HashMap<Scope, MeterId>,
    chains: HashMap<KeyId, Chain>,
    rulings: HashMap<Asked, Ruling>,
    /// How often each account's row was put.
    versions: HashMap<AccountId, u64>,
    usage: Usages,
}

type Refused = (Refusal, Vec<Effect>);

impl Engine {
    /// An engine that knows nobody yet.
    pub fn new(config: Config) -> Self {
        let quota = Quota::new(config.lease, config.memory);
        Self {
            config,
            directory: Directory::default(),
            quota,
            meters: HashMap::new(),
            chains: HashMap::new(),
            rulings: HashMap::new(),
            versions: HashMap::new(),
            usage: Usages::default(),
        }
    }

    /// Who is who.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Takes a row as it was stored: at start, or in [`Engine::enact`].
    pub fn load(&mut self, row: Row) {
        let (scope, limits) = match &row {
            Row::Organisation(row) => (Scope::Organisation(row.id.clone()), row.limits),
            Row::Project(row) => (Scope::Project(row.id.clone()), row.limits),
            Row::Account(row) => (Scope::Account(row.id.clone()), row.limits),
            Row::Key(row) => (Scope::Key(row.id.clone()), row.limits),
        };
        let id = self.meter(scope);
        self.quota.limit(id, limits);
        match &row {
            Row::Project(_) => self.rulings.clear(),
            Row::Key(key) => self.chain(key, id),
            Row::Account(account) => *self.versions.entry(account.id.clone()).or_default() += 1,
            Row::Organisation(_) => {}
        }
        self.directory.put(row);
    }

    /// Sets what a scope had spent before this process started.
    pub fn restore(&mut self, scope: Scope, spent: MicroUsd) {
        let id = self.meter(scope);
        self.quota.restore(id, spent);
    }

    /// What a scope has spent: (settled, reserved).
    pub fn spent(&self, scope: &Scope) -> (MicroUsd, MicroUsd) {
        self.meters
            .get(scope)
            .map_or((MicroUsd::ZERO, MicroUsd::ZERO), |id| self.quota.spent(*id))
    }

    /// Sets how often an account had asked for a purpose in the calendar month
    /// of `at` before this process started.
    pub fn restore_usage(
        &mut self,
        account: &AccountId,
        purpose: Purpose,
        at: Timestamp,
        asked: u64,
    ) {
        self.usage.restore(account, purpose, at, asked);
    }

    /// Replaces who evaluates the terms; every ruling is asked anew.
    pub fn rejudge(&mut self, judge: Box<dyn Judge>) {
        self.config.judge = judge;
        self.rulings.clear();
    }

    /// Whose key this is.
    ///
    /// # Errors
    /// [`Refusal::UnknownKey`] or [`Refusal::RevokedKey`].
    pub fn identify(&self, secret: &str) -> Result<&KeyRow, Refusal> {
        let key = Key::parse(secret).map_err(|_| Refusal::UnknownKey)?;
        // Whether the id is known or not, one digest is made and one is compared.
        let row = self.directory.key(key.id());
        let kept = row.map_or(KeyDigest([0; 32]), |row| row.digest);
        let same = kept == key.digest();
        let row = row.filter(|_| same).ok_or(Refusal::UnknownKey)?;
        if row.revoked.is_some() {
            return Err(Refusal::RevokedKey {
                key: row.id.clone(),
            });
        }
        Ok(row)
    }

    /// What the terms say of a request with this key; nothing is reserved and
    /// nothing recorded. None for a key that is not known.
    pub fn consult(&mut self, key: &KeyId, ask: &Ask) -> Option<Ruling> {
        let key = self.directory.key(key)?.clone();
        let account = self.directory.account(&key.account)?.clone();
        Some(self.ruling(ask, &key, &account).ruling)
    }

    /// Whether a running exchange may go on at `now`: false as soon as its key
    /// is revoked or (when measures are enforced) its account suspended.
    pub fn still_welcome(&self, admitted: &Admitted, now: Timestamp) -> bool {
        let key = self.directory.key(&admitted.key);
        let account = self.directory.account(&admitted.account);
        key.is_some_and(|key| key.revoked.is_none())
            && account.is_some_and(|account| {
                self.config.mode == Mode::Shadow || account.standing.barred(now).is_none()
            })
    }

    /// Decides on a request; what it may consume is reserved when admitted.
    ///
    /// A key that nobody holds leaves no record: there is nobody to hold it
    /// against, and recording it would let anyone fill the log.
    ///
    /// # Errors
    /// The refusal, with what is to be recorded before it is sent.
    pub fn admit(&mut self, ask: &Ask) -> Result<(Admitted, Vec<Effect>), Refused> {
        let mut effects = Vec::new();
        match self.decide(ask, &mut effects) {
            Ok(admitted) => Ok((admitted, effects)),
            Err((refusal, last)) => {
                effects.extend(last);
                Err((refusal, effects))
            }
        }
    }

    fn decide(&mut self, ask: &Ask, effects: &mut Vec<Effect>) -> Result<Admitted, Refused> {
        let key = match self.identify(&ask.secret) {
            Ok(row) => row.clone(),
            Err(Refusal::RevokedKey { key }) => {
                let owner = self.directory.key(&key).map(|row| row.account.clone());
                let effects = owner.map_or_else(Vec::new, |account| {
                    vec![refusal(denial(ask, &account, "key_revoked", &[]))]
                });
                return Err((Refusal::RevokedKey { key }, effects));
            }
            Err(other) => return Err((other, Vec::new())),
        };
        let (Some(account), Some(chain)) = (
            self.directory.account(&key.account).cloned(),
            self.chains.get(&key.id).copied(),
        ) else {
            return Err((Refusal::UnknownKey, Vec::new()));
        };
        self.stand(ask, &account, effects)?;
        self.tighten(&account, ask.at);
        let judged = self.judge(ask, &key, &account, effects)?;
        let tokens = ask.tokens_max.min(TOKENS_PER_EXCHANGE_MAX);
        let Some(price) = self.config.prices.upper(&ask.model, tokens) else {
            let detail = format!("model `{}` has no price", ask.model);
            return Err(terms_error(ask, &account.id, detail));
        };
        let limits = self
            .quota
            .reserve(&ask.exchange, chain, Need { tokens, price }, ask.at)
            .map_err(|denied| limited(ask, &account.id, denied))?;
        self.usage.count(&account, judged.purpose, ask.at);
        effects.push(Effect::Record(Entry::Intent(ask.exchange.clone())));
        effects.push(Effect::Forward(ask.exchange.clone()));
        let marked = match self.config.mode {
            Mode::Enforced => account.standing.marked(ask.at).cloned(),
            Mode::Shadow => None,
        };
        Ok(Admitted {
            exchange: ask.exchange.clone(),
            marked,
            account: account.id,
            project: account.project,
            key: key.id,
            model: ask.model.clone(),
            endpoint: ask.endpoint,
            at: ask.at,
            body_sha256: ask.body_sha256,
            clauses: judged.ruling.clauses,
            policy_sha256: judged.ruling.policy_sha256,
            asked: judged.ruling.asked,
            purpose: judged.purpose.map(|purpose| purpose.to_string()),
            limits,
        })
    }

    /// What the exchange costs, and whom; nothing is changed. Usage beyond
    /// [`TOKENS_PER_EXCHANGE_MAX`] is not believed.
    pub fn charge(&self, completion: &Completion) -> Charge {
        let admitted = &completion.admitted;
        let usage = believed(completion.usage);
        Charge {
            exchange: admitted.exchange.clone(),
            key: admitted.key.clone(),
            account: admitted.account.clone(),
            project: admitted.project.clone(),
            organisation: self
                .directory
                .project(&admitted.project)
                .map(|project| project.organisation.clone()),
            tokens: usage.input_tokens.saturating_add(usage.output_tokens),
            price: self.config.prices.cost(&admitted.model, usage),
        }
    }

    /// Replaces the exchange's reservation by what it consumed. Settling twice
    /// charges once.
    pub fn settle(&mut self, completion: &Completion) -> Vec<Effect> {
        let charge = self.charge(completion);
        let exchange = &completion.admitted.exchange;
        let actual = Need {
            tokens: charge.tokens,
            price: charge.price,
        };
        match self.quota.settle(exchange, actual, completion.at) {
            Settled::Already => Vec::new(),
            Settled::Unknown => vec![Effect::Alert(Alert::UnknownExchange(exchange.clone()))],
            Settled::Charged => {
                let usage = completion.usage;
                let reported = usage.input_tokens.saturating_add(usage.output_tokens);
                let charged = charge.tokens;
                let mut effects = vec![
                    Effect::Record(Entry::Completion(exchange.clone())),
                    Effect::Charge(charge),
                ];
                if reported != charged {
                    effects.push(Effect::Alert(Alert::AbsurdUsage {
                        exchange: exchange.clone(),
                        reported,
                        charged,
                    }));
                }
                effects
            }
        }
    }

    /// Gives back the reservation of a request that never went upstream.
    pub fn release(&mut self, exchange: &ExchangeId, at: Timestamp) {
        self.quota.release(exchange, at);
    }

    /// Plans a change; nothing is changed until its effects are enacted.
    ///
    /// # Errors
    /// [`CommandError`] when the command is refused.
    pub fn apply(&self, command: Command, at: Timestamp) -> Result<Vec<Effect>, CommandError> {
        plan(&self.directory, command, at)
    }

    /// Carries out one effect of [`Engine::apply`], once its record is durable.
    pub fn enact(&mut self, effect: &Effect) {
        match effect {
            Effect::Put(row) => self.load(row.clone()),
            Effect::Record(_) | Effect::Forward(_) | Effect::Charge(_) | Effect::Alert(_) => {}
        }
    }

    /// Lets expired reservations go.
    pub fn wake(&mut self, now: Timestamp) {
        self.quota.wake(now);
    }

    /// When [`Engine::wake`] has something to do next.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.quota.deadline()
    }

    fn meter(&mut self, scope: Scope) -> MeterId {
        let quota = &mut self.quota;
        *self
            .meters
            .entry(scope)
            .or_insert_with(|| quota.meter(Limits::UNLIMITED))
    }

    fn chain(&mut self, key: &KeyRow, own: MeterId) {
        let Some(account) = self.directory.account(&key.account).cloned() else {
            return;
        };
        let Some(project) = self.directory.project(&account.project).cloned() else {
            return;
        };
        let chain = [
            own,
            self.meter(Scope::Account(account.id)),
            self.meter(Scope::Project(project.id)),
            self.meter(Scope::Organisation(project.organisation)),
        ];
        self.chains.insert(key.id.clone(), chain);
    }

    /// Sets the account's limits to what throttles leave of them now: they end
    /// by time, so no row tells when. In shadow mode nothing is tightened.
    fn tighten(&mut self, account: &Account, now: Timestamp) {
        if self.config.mode == Mode::Enforced && account.standing.throttles() {
            let id = self.meter(Scope::Account(account.id.clone()));
            let limits = account.standing.tighten(account.limits, now);
            self.quota.limit(id, limits);
        }
    }

    fn stand(
        &self,
        ask: &Ask,
        account: &Account,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        let Some((case, clause)) = account.standing.barred(ask.at) else {
            return Ok(());
        };
        let entry = denial(
            ask,
            &account.id,
            "account_suspended",
            std::slice::from_ref(clause),
        );
        match self.config.mode {
            Mode::Shadow => {
                effects.push(Effect::Record(Entry::Shadow(entry)));
                Ok(())
            }
            Mode::Enforced => Err((
                Refusal::Suspended {
                    account: account.id.clone(),
                    case: case.clone(),
                    clause: clause.clone(),
                },
                vec![refusal(entry)],
            )),
        }
    }

    /// Asks the terms; the ruling, when the request goes on.
    fn judge(
        &mut self,
        ask: &Ask,
        key: &KeyRow,
        account: &Account,
        effects: &mut Vec<Effect>,
    ) -> Result<Judged, Refused> {
        let judged = self.ruling(ask, key, account);
        let shadow = self.config.mode == Mode::Shadow;
        match &judged.ruling.verdict {
            Verdict::Permit => Ok(judged),
            Verdict::Deny if shadow => {
                let entry = judged.denial(ask, &account.id, "terms_forbid");
                effects.push(Effect::Record(Entry::Shadow(entry)));
                Ok(judged)
            }
            Verdict::Deny => Err((
                Refusal::Terms {
                    account: account.id.clone(),
                    clauses: judged.ruling.clauses.clone(),
                },
                vec![refusal(judged.denial(ask, &account.id, "terms_forbid"))],
            )),
            Verdict::Error(detail) => {
                let entry = judged.denial(ask, &account.id, "terms_unavailable");
                let alert = Effect::Alert(Alert::TermsError {
                    account: account.id.clone(),
                    detail: detail.clone(),
                });
                if shadow {
                    effects.extend([Effect::Record(Entry::Shadow(entry)), alert]);
                    return Ok(judged);
                }
                let refused = Refusal::TermsError {
                    account: account.id.clone(),
                    detail: detail.clone(),
                };
                Err((refused, vec![refusal(entry), alert]))
            }
        }
    }

    fn ruling(&mut self, ask: &Ask, key: &KeyRow, account: &Account) -> Judged {
        let Some(project) = self.directory.project(&account.project) else {
            return unruled(format!("project `{}` is not known", account.project));
        };
        let purpose = match purpose_of(project, ask.purpose.as_deref()) {
            Ok(purpose) => purpose,
            Err(judged) => return *judged,
        };
        let asked = Asked {
            key: key.id.clone(),
            model: ask.model.clone(),
            endpoint: ask.endpoint,
            purpose,
            country: ask.country.as_deref().and_then(Country::parse),
            exceeded: self.usage.exceeded(account, purpose, ask),
            version: self.versions.get(&account.id).copied().unwrap_or_default(),
        };
        if let Some(ruling) = self.rulings.get(&asked)
            && ruling.until.is_none_or(|until| ask.at < until)
        {
            return Judged {
                purpose,
                ruling: ruling.clone(),
            };
        }
        let ruling = self.config.judge.rule(&Question {
            organisation: &project.organisation,
            project: &project.id,
            account: &account.id,
            key: &key.id,
            model: &ask.model,
            endpoint: ask.endpoint,
            purpose: purpose.map(Purpose::word),
            agreement: &account.agreement,
            country: asked.country,
            exceeded: asked.exceeded,
            at: ask.at,
        });
        // An error is asked again every time: it may have passed.
        if !matches!(ruling.verdict, Verdict::Error(_)) {
            if self.rulings.len() >= RULINGS_MAX {
                self.rulings.clear();
            }
            self.rulings.insert(asked, ruling.clone());
        }
        Judged { purpose, ruling }
    }
}

/// The usage, or as much of it as one exchange can have consumed.
fn believed(usage: Usage) -> Usage {
    let input = usage.input_tokens.min(TOKENS_PER_EXCHANGE_MAX);
    Usage {
        input_tokens: input,
        output_tokens: usage.output_tokens.min(TOKENS_PER_EXCHANGE_MAX - input),
        estimated: usage.estimated,
    }
}

fn denial(ask: &Ask, account: &AccountId, code: &'static str, clauses: &[ClauseId]) -> Denial {
    Denial {
        exchange: ask.exchange.clone(),
        account: account.clone(),
        code,
        clauses: clauses.to_vec(),
        purpose: None,
        policy_sha256: None,
    }
}

fn refusal(denial: Denial) -> Effect {
    Effect::Record(Entry::Refusal(denial))
}

fn terms_error(ask: &Ask, account: &AccountId, detail: String) -> Refused {
    let effects = vec![
        refusal(denial(ask, account, "terms_unavailable", &[])),
        Effect::Alert(Alert::TermsError {
            account: account.clone(),
            detail: detail.clone(),
        }),
    ];
    let account = account.clone();
    (Refusal::TermsError { account, detail }, effects)
}

fn limited(ask: &Ask, account: &AccountId, denied: Denied) -> Refused {
    let recorded = |code| vec![refusal(denial(ask, account, code, &[]))];
    let account = account.clone();
    match denied {
        Denied::Rate {
            limit,
            state,
            retry_after_ms,
        } => (
            Refusal::RateLimited {
                account: account.clone(),
                limit,
                state,
                retry_after_ms,
            },
            recorded("rate_limit_exceeded"),
        ),
        Denied::Budget(budget) => (
            Refusal::Budget {
                account: account.clone(),
                budget_micro_usd: budget.0,
            },
            recorded("insufficient_quota"),
        ),
        // Two intents under one id could not be told apart in the log.
        Denied::Duplicate => (Refusal::Recording, Vec::new()),
    }
}

#[cfg(test)]
mod tests;
