//! Which person here is somebody at the issuer? Only one who was invited: a
//! subject is linked once and for good, and nothing that the issuer says makes
//! a person or gives a role.

use store::{PersonRow, StoreError, SubjectRow, SystemClock};

use super::{Door, Known};

/// Whom a sign-in at the issuer lets in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    /// This person.
    Person(String),
    /// Nobody: they were not invited.
    Uninvited,
    /// Nobody: they work here no longer.
    Left(String),
    /// Nobody: several names wait for this subject, and only a link says which is meant.
    Several,
}

/// What linking came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Linked {
    /// The subject is theirs from now on.
    New,
    /// It was theirs.
    Known,
    /// It is somebody's who has another name here: both names are one person now.
    Same(String),
}

/// What is awaited at the issuer: an address, or a subject. A subject that looks like an address
/// is taken for none: where people choose their subjects, they choose those of others too.
pub fn awaited_at_issuer(text: &str) -> String {
    let text = text.trim();
    if text.contains('@') {
        format!("email:{}", text.to_lowercase())
    } else {
        format!("sub:{text}")
    }
}

impl Door {
    /// Whom the issuer's word lets in; a first sign-in uses the invitation up.
    pub(crate) async fn entry(&self, known: &Known) -> Result<Entry, StoreError> {
        let database = self.database();
        let now = SystemClock.now();
        if let Some(row) = database.subject(&known.subject).await? {
            let person = database.person(&row.person).await?;
            if person.is_none_or(|person| person.ended_at.is_some()) {
                return Ok(Entry::Left(row.person));
            }
            let (subject, shown) = (&known.subject, &known.shown);
            database.subject_used(subject, shown, now).await?;
            return Ok(Entry::Person(row.person));
        }
        // Invited with the whole subject as their identity.
        let mut named: Vec<PersonRow> = self.of_identity(&known.subject).await?;
        named.retain(|person| person.ended_at.is_none());
        match named.as_slice() {
            [one] => {
                self.linked(&one.name, known).await?;
                return Ok(Entry::Person(one.name.clone()));
            }
            [] => {}
            _ => return Ok(Entry::Several),
        }
        // An address is believed once, and only where the issuer verified it: it may be given to
        // somebody else later, the subject never is.
        let subject = Some(format!("sub:{}", known.sub));
        let email = known.email.as_ref().map(|email| format!("email:{email}"));
        for hint in subject.into_iter().chain(email) {
            if let Some(name) = database.awaited(&hint, now).await?
                && database.use_awaited(&hint).await?
            {
                self.linked(&name, known).await?;
                return Ok(Entry::Person(name));
            }
        }
        Ok(Entry::Uninvited)
    }

    async fn of_identity(&self, identity: &str) -> Result<Vec<PersonRow>, StoreError> {
        let mut people = self.database().people().await?;
        people.retain(|person| person.identity == identity);
        Ok(people)
    }

    /// Links a subject to a name. A subject of another name shows that both are one person.
    pub(crate) async fn linked(&self, name: &str, known: &Known) -> Result<Linked, StoreError> {
        let database = self.database();
        let owner = match database.subject(&known.subject).await? {
            Some(row) if row.person == name => return Ok(Linked::Known),
            Some(row) => database.person(&row.person).await?,
            None => {
                let row = SubjectRow {
                    subject: known.subject.clone(),
                    person: name.to_owned(),
                    shown: known.shown.clone(),
                    linked_at: SystemClock.now(),
                    used_at: None,
                };
                database.keep_subject(&row).await?;
                let named = self.of_identity(&known.subject).await?;
                named.into_iter().find(|person| person.name != name)
            }
        };
        let Some(other) = owner else {
            return Ok(Linked::New);
        };
        database.same_person(name, &other.identity).await?;
        Ok(Linked::Same(other.name))
    }
}
