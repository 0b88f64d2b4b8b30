//! What does an exchange cost? The price table, read from TOML.
//!
//! ```toml
//! default = { input_micro_usd_per_1m = 5_000_000, output_micro_usd_per_1m = 15_000_000 }
//!
//! [models."small-model"]
//! input_micro_usd_per_1k = 150
//! output_micro_usd_per_1k = 600
//! ```
//!
//! A model that the table does not name is charged the default; a table
//! without one is strict, and then every served model must be named.

use std::collections::HashMap;
use std::fmt;

use facts::{MicroUsd, ModelName, Usage};
use serde::Deserialize;

/// Millionths of a US dollar per million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// For the request's tokens.
    pub input_per_1m: u64,
    /// For the answer's tokens.
    pub output_per_1m: u64,
}

/// The price of every model.
#[derive(Debug, Clone)]
pub struct Prices {
    models: HashMap<ModelName, Price>,
    default: Option<Price>,
}

/// Why a price table cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PriceError {
    /// Not TOML of the expected shape.
    Shape(String),
    /// A rate is missing, or given both per thousand and per million.
    Rate {
        /// The model, or `default`.
        model: String,
        /// `input` or `output`.
        side: &'static str,
    },
    /// A model's name is not one.
    Model(String),
    /// The table has no default and does not name a served model.
    Unpriced(ModelName),
}

impl fmt::Display for PriceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(why) => write!(f, "read the price table: {why}"),
            Self::Rate { model, side } => write!(
                f,
                "price `{model}`: give `{side}_micro_usd_per_1k` or `{side}_micro_usd_per_1m`, exactly one"
            ),
            Self::Model(name) => write!(f, "price `{name}`: not a model name"),
            Self::Unpriced(name) => write!(
                f,
                "price `{name}`: the table does not name it and has no `default`; add either"
            ),
        }
    }
}

impl std::error::Error for PriceError {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Typed {
    default: Option<TypedPrice>,
    #[serde(default)]
    models: HashMap<String, TypedPrice>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TypedPrice {
    input_micro_usd_per_1k: Option<u64>,
    input_micro_usd_per_1m: Option<u64>,
    output_micro_usd_per_1k: Option<u64>,
    output_micro_usd_per_1m: Option<u64>,
}

impl TypedPrice {
    fn built(&self, model: &str) -> Result<Price, PriceError> {
        let rate = |side, per_1k: Option<u64>, per_1m: Option<u64>| match (per_1k, per_1m) {
            (Some(k), None) => Ok(k.saturating_mul(1000)),
            (None, Some(m)) => Ok(m),
            (None, None) | (Some(_), Some(_)) => Err(PriceError::Rate {
                model: model.to_owned(),
                side,
            }),
        };
        Ok(Price {
            input_per_1m: rate(
                "input",
                self.input_micro_usd_per_1k,
                self.input_micro_usd_per_1m,
            )?,
            output_per_1m: rate(
                "output",
                self.output_micro_usd_per_1k,
                self.output_micro_usd_per_1m,
            )?,
        })
    }
}

impl Price {
    /// What `input` and `output` tokens cost, rounded up.
    pub fn of(self, input: u64, output: u64) -> MicroUsd {
        let sum = u128::from(self.input_per_1m) * u128::from(input)
            + u128::from(self.output_per_1m) * u128::from(output);
        MicroUsd(u64::try_from(sum.div_ceil(1_000_000)).unwrap_or(u64::MAX))
    }
}

impl Prices {
    /// Every model at one price.
    pub fn flat(price: Price) -> Self {
        Self {
            models: HashMap::new(),
            default: Some(price),
        }
    }

    /// Reads a table.
    ///
    /// # Errors
    /// [`PriceError`] on an unknown field, a missing or doubled rate, or a bad name.
    pub fn parse(text: &str) -> Result<Self, PriceError> {
        let typed: Typed = toml::from_str(text).map_err(|e| PriceError::Shape(e.to_string()))?;
        let default = typed
            .default
            .map(|price| price.built("default"))
            .transpose()?;
        let mut models = HashMap::with_capacity(typed.models.len());
        for (name, price) in typed.models {
            let built = price.built(&name)?;
            let model = ModelName::parse(&name).map_err(|_| PriceError::Model(name))?;
            models.insert(model, built);
        }
        Ok(Self { models, default })
    }

    /// Checks at load that every served model has a price.
    ///
    /// # Errors
    /// [`PriceError::Unpriced`] with the first that has none.
    pub fn cover<'a>(
        &self,
        served: impl IntoIterator<Item = &'a ModelName>,
    ) -> Result<(), PriceError> {
        for model in served {
            if self.default.is_none() && !self.models.contains_key(model) {
                return Err(PriceError::Unpriced(model.clone()));
            }
        }
        Ok(())
    }

    /// The model's price; of an unpriced one in a strict table, none.
    pub fn of(&self, model: &ModelName) -> Option<Price> {
        self.models.get(model).copied().or(self.default)
    }

    /// The most that `tokens_max` tokens can cost, however they fall.
    pub fn upper(&self, model: &ModelName, tokens_max: u64) -> Option<MicroUsd> {
        self.of(model).map(|price| {
            let dearest = price.input_per_1m.max(price.output_per_1m);
            Price {
                input_per_1m: dearest,
                output_per_1m: 0,
            }
            .of(tokens_max, 0)
        })
    }

    /// What was consumed; nothing for an unpriced model.
    pub fn cost(&self, model: &ModelName, usage: Usage) -> MicroUsd {
        self.of(model).map_or(MicroUsd::ZERO, |price| {
            price.of(usage.input_tokens, usage.output_tokens)
        })
    }
}

#[cfg(test)]
mod tests;
