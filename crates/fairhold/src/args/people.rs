//! What may be typed about people.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum People {
    /// Make a one-time sign-in for somebody who works here, or for a customer.
    Invite {
        /// The name under which colleagues know them.
        #[arg(required_unless_present = "account", conflicts_with = "account")]
        name: Option<String>,
        /// reviewer, approver, administrator or auditor; the one they have where they are known.
        #[arg(long, requires = "name")]
        role: Option<String>,
        /// What they prove to be, where that is known: two names with one identity are one person.
        #[arg(long, requires = "name")]
        identity: Option<String>,
        /// Their address or subject at the issuer of `[console.oidc]`: they sign in there, and no
        /// one-time sign-in is made.
        #[arg(long, requires = "name", value_name = "EMAIL_OR_SUBJECT")]
        oidc: Option<String>,
        /// Invite whoever speaks for this customer's account, to the portal.
        #[arg(long)]
        account: Option<String>,
        /// Who invites.
        #[arg(long, default_value = "operator")]
        by: String,
    },
    /// Everybody who works here.
    List,
    /// Somebody works here no longer: their sign-ins and invitations end.
    End {
        /// Who.
        name: String,
        /// Who says so.
        #[arg(long, default_value = "operator")]
        by: String,
    },
}
