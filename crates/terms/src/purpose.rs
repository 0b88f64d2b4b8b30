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

/// What the customer states about its use, on which an exception may rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Declaration {
    /// What is made of the outputs is neither distributed nor offered commercially.
    NotDistributed,
}

impl Declaration {
    /// All of them.
    pub const ALL: [Self; 1] = [Self::NotDistributed];

    /// The word used in the catalogue, in policies and in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotDistributed => "not-distributed",
        }
    }

    /// The declaration that `word` names, if any.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.word() == word)
    }
}

#[cfg(test)]
mod tests;
