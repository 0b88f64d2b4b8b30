//! `fairhold account create|agree|declare|link|list`.

use console::{NewAccount, NewLinks, Office};

use super::terms::agreement_of;
use crate::args::Account;
use crate::failure::{Exit, Failure};
use crate::out::Out;

/// Runs the command.
pub(crate) async fn run<O: Office>(office: &O, what: Account, out: Out) -> Result<Exit, Failure> {
    match what {
        Account::Create(new) => {
            let project = new.project.unwrap_or_else(|| new.account.clone());
            let organisation = new.organisation.unwrap_or_else(|| project.clone());
            let account = office
                .open_account(NewAccount {
                    account: new.account,
                    project,
                    organisation,
                    purposes: new.purpose,
                    requests_per_minute: new.requests_per_minute,
                    tokens_per_minute: new.tokens_per_minute,
                    requests_per_day: new.requests_per_day,
                    tokens_per_day: new.tokens_per_day,
                    budget_micro_usd: new.budget_micro_usd,
                })
                .await?;
            out.data(&account)?;
            out.line(&format!(
                "{} opened in project {} of {}",
                account.account, account.project, account.organisation
            ));
            out.next(&format!("fairhold key create {}", account.account));
        }
        Account::Agree { account, agreement } => {
            let agreement = agreement_of(Some(&agreement))?;
            let terms = office.agree(&account, agreement.json()).await?;
            out.data(&terms)?;
            out.line(&format!(
                "the agreement with {account} holds from the next request on"
            ));
            out.next(&format!("fairhold status {account}"));
        }
        Account::Declare { project, purpose } => {
            let purposes = office.declare(&project, purpose).await?;
            out.data(&purposes)?;
            out.line(&format!(
                "project {project} declares {}",
                purposes.join(", ")
            ));
        }
        Account::Link(new) => {
            let links = NewLinks {
                payment: new.payment,
                identity: new.identity,
                network: new.network,
            };
            let known = office.link(&new.account, links).await?;
            out.data(&known)?;
            out.line(&format!(
                "known of {}: {} payment tokens, {} identities, {} network blocks, as keyed hashes",
                known.account, known.payment, known.identity, known.network
            ));
        }
        Account::List => {
            let accounts = office.accounts().await?;
            out.data(&accounts)?;
            for account in &accounts {
                out.line(&format!(
                    "{:<32} {:<12} {} / {}",
                    account.account, account.standing, account.organisation, account.project
                ));
            }
        }
    }
    Ok(Exit::Clean)
}
