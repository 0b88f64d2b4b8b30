//! What is it for? Purposes and declarations: closed lists, because a word
//! that no policy knows would be a word that no policy forbids.

use std::fmt;

/// What the outputs of a request are for, as the customer declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// Answers shown to the users of a product.
    InferenceProduct,
    /// Answers over retrieved documents.
    Rag,
    /// Measuring models.
    Evaluation,
    /// Labels for own data, kept inside.
    LabellingInternal,
    /// Training a classifier or embedding model for own use.
    ClassifierInternal,
    /// Training a classifier or embedding model that others get.
    ClassifierDistributed,
    /// Fine-tuning inside the provider's own service.
    FinetuneOnProvider,
    /// Fine-tuning a model that does not compete.
    FinetuneNoncompeting,
    /// Fine-tuning a model that competes.
    FinetuneCompeting,
    /// Training a foundation model.
    FoundationTraining,
    /// Training any model that competes, however it is made.
    TrainCompetingModel,
    /// Passing answers on for money.
    Resale,
    /// Collecting a model's reasoning to rebuild it.
    ReasoningCapture,
}

impl Purpose {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 13] = [
        Self::InferenceProduct,
        Self::Rag,
        Self::Evaluation,
        Self::LabellingInternal,
        Self::ClassifierInternal,
        Self::ClassifierDistributed,
        Self::FinetuneOnProvider,
        Self::FinetuneNoncompeting,
        Self::FinetuneCompeting,
        Self::FoundationTraining,
        Self::TrainCompetingModel,
        Self::Resale,
        Self::ReasoningCapture,
    ];

    /// The word used in the catalogue, in policies and in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::InferenceProduct => "inference-product",
            Self::Rag => "rag",
            Self::Evaluation => "evaluation",
            Self::LabellingInternal => "labelling-internal",
            Self::ClassifierInternal => "classifier-internal",
            Self::ClassifierDistributed => "classifier-distributed",
            Self::FinetuneOnProvider => "finetune-on-provider",
            Self::FinetuneNoncompeting => "finetune-noncompeting",
            Self::FinetuneCompeting => "finetune-competing",
            Self::FoundationTraining => "foundation-training",
            Self::TrainCompetingModel => "train-competing-model",
            Self::Resale => "resale",
            Self::ReasoningCapture => "reasoning-capture",
        }
    }

    /// The purpose that `text` names; `_` and `-` are alike, as in
    /// `train_competing_model`.
    ///
    /// # Errors
    /// [`UnknownPurpose`] for any other text.
    pub fn parse(text: &str) -> Result<Self, UnknownPurpose> {
        Self::ALL
            .into_iter()
            .find(|purpose| {
                let word = purpose.word();
                word.len() == text.len()
                    && word
                        .bytes()
                        .zip(text.bytes())
                        .all(|(ours, given)| ours == if given == b'_' { b'-' } else { given })
            })
            .ok_or_else(|| UnknownPurpose {
                given: text.chars().take(80).collect(),
            })
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A purpose that nobody has defined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownPurpose {
    /// What was given, its first 80 characters.
    pub given: String,
}

impl fmt::Display for UnknownPurpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a purpose: use one of", self.given)?;
        for (n, purpose) in Purpose::ALL.into_iter().enumerate() {
            write!(f, "{}{purpose}", if n == 0 { " " } else { ", " })?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownPurpose {}

/// A closed list of words, each shown, read back and counted.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$each])* $variant,)*
        }

        impl $name {
            /// All of them, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word used in the catalogue, in policies and in records.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// What `word` names, if anything.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.word() == word)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

words! {
    /// What the customer states about its use, on which an exception may rest.
    Declaration {
        /// What is made of the outputs is neither distributed nor offered commercially.
        NotDistributed = "not-distributed",
        /// The name of the model that is made begins with `Llama`.
        NamedLlama = "named-llama",
        /// The model that is made belongs to the family of the one that was asked.
        SameFamily = "same-family",
        /// The outputs are images.
        ImageOutputs = "image-outputs",
        /// The model that is made belongs to neither the customer nor its providers.
        ThirdPartyModel = "third-party-model",
        /// What is made is distributed under the terms of its source.
        TermsPassedOn = "terms-passed-on",
    }
}

words! {
    /// What may be established against a customer beside the purpose of its
    /// use: by a decided case, or by its own word. A suspicion is none of it.
    Conduct {
        /// Trying to discover how models are made.
        ReverseEngineering = "reverse-engineering",
        /// Extracting data beyond what the service offers.
        DataExtraction = "data-extraction",
        /// Buying, selling or handing on keys or access.
        KeyTransfer = "key-transfer",
        /// Getting round rate limits or protective measures.
        LimitCircumvention = "limit-circumvention",
        /// Splitting usage to avoid usage limits.
        QuotaEvasion = "quota-evasion",
        /// Building a competing product with the service.
        CompetingProduct = "competing-product",
        /// Helping another to break the terms.
        AidingOthers = "aiding-others",
        /// Several accounts acting in concert.
        AccountCoordination = "account-coordination",
        /// Returning after a ban under another account.
        BanEvasion = "ban-evasion",
        /// Passing outputs off as made by people.
        MisrepresentedOrigin = "misrepresented-origin",
        /// Collecting outputs systematically for a rival's training set.
        DatasetCollection = "dataset-collection",
        /// Registering accounts in bulk.
        BulkRegistration = "bulk-registration",
        /// Breaking the terms of the model behind an aggregator.
        ModelTermsViolation = "model-terms-violation",
        /// Red-teaming without approval.
        RedTeaming = "red-teaming",
        /// Benchmarking the service against a rival.
        Benchmarking = "benchmarking",
    }
}

/// A country: two capital letters of ISO 3166-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

impl Country {
    /// Reads two letters of A-Z; `de` is read as `DE`. `XX`, by which proxies
    /// mean that they do not know, is none.
    pub fn parse(text: &str) -> Option<Self> {
        let &[a, b] = text.as_bytes() else {
            return None;
        };
        let letters = [a.to_ascii_uppercase(), b.to_ascii_uppercase()];
        let known = letters.iter().all(u8::is_ascii_alphabetic) && letters != *b"XX";
        known.then_some(Self(letters))
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b] = self.0;
        write!(f, "{}{}", char::from(a), char::from(b))
    }
}

#[cfg(test)]
mod tests;
