//! The same terms with other policies, for the check of their cases.

use cedar_policy::{Policy, PolicyId, PolicySet};
use facts::ClauseId;
use serde_json::Value;

use super::Terms;

impl Terms {
    /// The policies of a clause, each as Cedar's JSON.
    pub(crate) fn policies_of(&self, clause: &ClauseId) -> Vec<(PolicyId, Value)> {
        let mut own = Vec::new();
        for epoch in &self.epochs {
            for policy in epoch.policies.policies() {
                if epoch.clauses.get(policy.id()) == Some(clause)
                    && let Ok(json) = policy.to_json()
                {
                    own.push((policy.id().clone(), json));
                }
            }
        }
        own.sort_by(|a, b| a.0.cmp(&b.0));
        own.dedup_by(|a, b| a.0 == b.0);
        own
    }

    /// These terms with some policies replaced, or left out; none when Cedar
    /// does not take the new ones.
    pub(crate) fn with_policies(&self, altered: &[(PolicyId, Option<Policy>)]) -> Option<Self> {
        let mut terms = self.clone();
        for epoch in &mut terms.epochs {
            let mut policies = PolicySet::new();
            for policy in epoch.policies.policies() {
                match altered.iter().find(|(id, _)| id == policy.id()) {
                    Some((_, Some(other))) => policies.add(other.clone()).ok()?,
                    Some((_, None)) => {}
                    None => policies.add(policy.clone()).ok()?,
                }
            }
            epoch.policies = policies;
        }
        Some(terms)
    }
}
