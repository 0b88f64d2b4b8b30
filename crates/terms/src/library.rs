//! Sets of documents, compiled once each.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::terms::Countries;
use crate::{Catalogue, DocumentId, LoadError, Terms};

/// A catalogue with the terms made of it so far. Which documents bind differs
/// by model and by account; each set of them is compiled when first asked for.
#[derive(Debug)]
pub struct Library {
    catalogue: Catalogue,
    countries: Countries,
    compiled: Mutex<BTreeMap<Vec<DocumentId>, Arc<Terms>>>,
}

impl Library {
    /// A library over `catalogue`; `countries` are the lists agreed.
    pub fn new(catalogue: Catalogue, countries: Countries) -> Self {
        Self {
            catalogue,
            countries,
            compiled: Mutex::default(),
        }
    }

    /// The catalogue.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The terms of exactly these documents.
    ///
    /// # Errors
    /// [`LoadError`], as [`Terms::load`].
    pub fn bound(&self, documents: &[DocumentId]) -> Result<Arc<Terms>, LoadError> {
        let mut documents = documents.to_vec();
        documents.sort();
        documents.dedup();
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(terms) = compiled.get(&documents) {
            return Ok(Arc::clone(terms));
        }
        let terms =
            Terms::load(&self.catalogue, &documents)?.with_countries(self.countries.clone());
        let terms = Arc::new(terms);
        compiled.insert(documents, Arc::clone(&terms));
        Ok(terms)
    }
}
