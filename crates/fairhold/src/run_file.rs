//! `run.json` in the data folder: how commands reach the running server.

use std::path::Path;

use serde::{Deserialize, Serialize};
use store::DataFolder;

/// What the running server wrote about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunFile {
    /// Where programs reach it.
    pub(crate) gateway: String,
    /// Base URL of the admin API.
    pub(crate) admin: String,
    /// Bearer token of the admin API.
    pub(crate) token: String,
    /// Where people reach the console.
    #[serde(default)]
    pub(crate) console: String,
    /// Its process.
    pub(crate) pid: u32,
}

impl RunFile {
    /// Reads it; none when no server left one, or one of another version.
    pub(crate) fn read(data: &Path) -> Option<Self> {
        let text = DataFolder::read_run(data).ok()??;
        serde_json::from_str(&text).ok()
    }
}
