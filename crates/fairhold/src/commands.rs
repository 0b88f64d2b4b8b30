//! One file per command; each returns how the program is to exit.

pub(crate) mod account;
pub(crate) mod audit;
pub(crate) mod calibrate;
pub(crate) mod case;
pub(crate) mod certify;
pub(crate) mod detect;
pub(crate) mod erase;
pub(crate) mod export;
pub(crate) mod findings;
pub(crate) mod fsck;
pub(crate) mod gate;
pub(crate) mod hold;
pub(crate) mod import;
pub(crate) mod kek;
pub(crate) mod key;
pub(crate) mod ledger;
pub(crate) mod mask;
pub(crate) mod open;
pub(crate) mod registry;
pub(crate) mod retention;
pub(crate) mod serve;
pub(crate) mod sketch;
pub(crate) mod status;
pub(crate) mod terms;
pub(crate) mod verify;
pub(crate) mod witness;
