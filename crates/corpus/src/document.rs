//! One document, and where in a row its parts are found.

use std::borrow::Cow;

/// Where a row keeps its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    /// In `text`; a row that has none is taken with all of its strings, whatever they are called.
    Usual,
    /// In the field of that name; a row without it is a fault.
    Named(String),
}

impl Text {
    /// The field that is looked for first.
    pub fn name(&self) -> &str {
        match self {
            Self::Usual => "text",
            Self::Named(name) => name,
        }
    }
}

/// What a row may say beside its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// Its own id: carried through whatever masks the row later.
    Id,
    /// Who asked for it.
    Account,
    /// The model that is said to have made it.
    Model,
    /// When.
    Time,
    /// What it answers.
    Prompt,
}

impl Column {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Id,
        Self::Account,
        Self::Model,
        Self::Time,
        Self::Prompt,
    ];

    pub(crate) fn place(self) -> usize {
        match self {
            Self::Id => 0,
            Self::Account => 1,
            Self::Model => 2,
            Self::Time => 3,
            Self::Prompt => 4,
        }
    }
}

/// The names of the fields that are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// The text.
    pub text: Text,
    names: [Option<String>; 5],
}

impl Columns {
    /// The text only.
    pub fn text(text: Text) -> Self {
        Self {
            text,
            names: [const { None }; 5],
        }
    }

    /// And this one, under that name.
    #[must_use]
    pub fn with(mut self, column: Column, name: Option<&str>) -> Self {
        if let Some(place) = self.names.get_mut(column.place()) {
            *place = name.map(str::to_owned);
        }
        self
    }

    /// The name of a column, where it is read.
    pub fn name(&self, column: Column) -> Option<&str> {
        self.names.get(column.place())?.as_deref()
    }

    /// The columns that are read, with their names.
    pub(crate) fn named(&self) -> impl Iterator<Item = (Column, &str)> {
        Column::ALL
            .into_iter()
            .filter_map(|column| Some((column, self.name(column)?)))
    }
}

/// A document, borrowed from its batch.
#[derive(Debug, Clone)]
pub struct Document<'a> {
    /// Its row in the batch, from 0; [`crate::Place`] turns it into the row of the file.
    pub row: u64,
    /// The member of an archive that it is.
    pub member: Option<&'a str>,
    /// Its text.
    pub text: Cow<'a, str>,
    pub(crate) values: [Option<Cow<'a, str>>; 5],
}

impl<'a> Document<'a> {
    pub(crate) fn new(row: u64, text: Cow<'a, str>) -> Self {
        Self {
            row,
            member: None,
            text,
            values: [const { None }; 5],
        }
    }

    /// What it says in a column.
    pub fn column(&self, column: Column) -> Option<&str> {
        self.values.get(column.place())?.as_deref()
    }

    pub(crate) fn set(&mut self, column: Column, value: Option<Cow<'a, str>>) {
        if let Some(place) = self.values.get_mut(column.place()) {
            *place = value;
        }
    }
}
