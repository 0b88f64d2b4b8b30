//! `fairhold kek rotate`: every key is wrapped under a new KEK, and the old one
//! is destroyed. Cut short, it goes on where it stopped when it is run again.

use std::path::Path;

use serde_json::json;
use store::{DataFolder, StoreError};

use crate::args::custody::Kek;
use crate::failure::{Exit, Failure};
use crate::house::{House, Keeping, Plan};
use crate::keeper::Rotated;
use crate::out::Out;
use crate::settings::Settings;

/// Runs the command.
pub(crate) async fn run(data: &Path, what: Kek, out: Out) -> Result<Exit, Failure> {
    let Kek::Rotate { place } = what;
    let plan = match &place.config {
        Some(path) => Plan::of(Settings::read(path)?),
        None => Plan::at_rest(),
    };
    let plan = Plan {
        keeping: Keeping {
            rotates: true,
            ..plan.keeping.clone()
        },
        ..plan
    };
    let house = House::open(data, plan).await?;
    let bar = out.progress(0, "rewrapping keys");
    let progress = |done, of| {
        bar.set_length(of);
        bar.set_position(done);
    };
    let done = house.keeper.rewrap(&progress).await;
    let done = done.map_err(|e| Failure::chain(&e));
    bar.finish_and_clear();
    let outside = house.kek_outside;
    let folder = house.close_keeping_folder().await;
    let done = done?;
    finish(&folder, outside).map_err(|e| Failure::chain(&e))?;
    tell(&done, outside, out)
}

/// The old file goes once nothing is wrapped under it.
fn finish(folder: &DataFolder, outside: bool) -> Result<(), StoreError> {
    if outside {
        folder.retire_kek()
    } else {
        folder.swap_kek(|_| Ok(()))
    }
}

fn tell(done: &Rotated, outside: bool, out: Out) -> Result<Exit, Failure> {
    out.data(&json!({
        "kek": hex::encode(done.kek.0),
        "keys": done.keys,
        "rewrapped": done.rewrapped,
        "kept_outside": outside,
    }))?;
    out.line(&format!(
        "{} of {} keys were rewrapped under the KEK {}; the old one is of no use any more",
        done.rewrapped, done.keys, done.kek
    ));
    if outside {
        out.next(
            "set FAIRHOLD_KEK to the new key, unset FAIRHOLD_KEK_NEW, and destroy the old one",
        );
    } else {
        out.next("back up master.key, and destroy older copies of it");
    }
    Ok(Exit::Clean)
}
