//! A body's JSON without a copy of its texts.
//!
//! Reads what `serde_json::Value` reads and refuses what it refuses; texts without escapes stay where they
//! are. Where a key is repeated the last one counts, as there.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// What is asked of JSON here, however it is kept.
pub(crate) trait Json: Sized {
    /// The member of an object.
    fn get(&self, key: &str) -> Option<&Self>;
    /// A text.
    fn as_str(&self) -> Option<&str>;
    /// The items of a list.
    fn items(&self) -> Option<&[Self]>;
    /// A whole number that is not negative.
    fn as_u64(&self) -> Option<u64>;
}

impl Json for Value {
    fn get(&self, key: &str) -> Option<&Self> {
        Self::get(self, key)
    }

    fn as_str(&self) -> Option<&str> {
        Self::as_str(self)
    }

    fn items(&self) -> Option<&[Self]> {
        self.as_array().map(Vec::as_slice)
    }

    fn as_u64(&self) -> Option<u64> {
        Self::as_u64(self)
    }
}

/// JSON that leans on the bytes that it was read from.
#[derive(Debug)]
pub(crate) enum Lean<'a> {
    Text(Cow<'a, str>),
    Whole(u64),
    List(Vec<Self>),
    Object(Vec<(Cow<'a, str>, Self)>),
    /// What nobody asks: null, true, false, other numbers.
    Other,
}

impl<'a> Lean<'a> {
    /// Reads a body; none when it is no JSON.
    pub(crate) fn read(body: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }
}

impl Json for Lean<'_> {
    fn get(&self, key: &str) -> Option<&Self> {
        let Self::Object(members) = self else {
            return None;
        };
        let last = members.iter().rev().find(|(name, _)| name == key);
        last.map(|(_, value)| value)
    }

    fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Whole(_) | Self::List(_) | Self::Object(_) | Self::Other => None,
        }
    }

    fn items(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            Self::Text(_) | Self::Whole(_) | Self::Object(_) | Self::Other => None,
        }
    }

    fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Whole(number) => Some(*number),
            Self::Text(_) | Self::List(_) | Self::Object(_) | Self::Other => None,
        }
    }
}

impl<'de> Deserialize<'de> for Lean<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Reading)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Lean<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Lean<'de>, E> {
        Ok(Lean::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Lean<'de>, E> {
        Ok(Lean::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Lean<'de>, E> {
        Ok(Lean::Text(Cow::Owned(text)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Lean<'de>, E> {
        Ok(Lean::Whole(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Lean<'de>, E> {
        Ok(u64::try_from(number).map_or(Lean::Other, Lean::Whole))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Lean<'de>, E> {
        Ok(Lean::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Lean<'de>, E> {
        Ok(Lean::Other)
    }

    fn visit_unit<E>(self) -> Result<Lean<'de>, E> {
        Ok(Lean::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Lean<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = from.next_element()? {
            items.push(item);
        }
        Ok(Lean::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Lean<'de>, A::Error> {
        let mut members = Vec::with_capacity(8);
        while let Some((Name(name), value)) = from.next_entry()? {
            members.push((name, value));
        }
        Ok(Lean::Object(members))
    }
}

/// The name of a member, borrowed where it can be.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Naming;
        impl<'de> Visitor<'de> for Naming {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        from.deserialize_str(Naming)
    }
}

#[cfg(test)]
mod tests;
