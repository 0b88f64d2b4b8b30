//! `fairhold erase`: what a subject or an account sent and got becomes
//! unreadable, for good. Exit 1 when a legal hold stands in the way.

use console::{NewErasure, Office};

use crate::args::custody::Erase;
use crate::failure::{Exit, Failure};
use crate::out::Out;

/// Runs the command.
pub(crate) async fn run<O: Office>(office: &O, what: Erase, out: Out) -> Result<Exit, Failure> {
    let new = NewErasure {
        account: what.account,
        subject: what.subject,
        by: what.by,
        reason: what.reason,
    };
    let busy = out.busy("erasing, and searching the files");
    let done = office.erase(new).await;
    busy.finish_and_clear();
    let done = done?;
    out.data(&done)?;
    if let Some(hold) = done.held.first() {
        out.say(&format!(
            "nothing was erased: {} of {} binds account {} ({})",
            hold.hold, hold.by, hold.account, hold.reason
        ));
        out.next(&format!("fairhold hold release {} --by YOU", hold.hold));
        return Ok(Exit::Finding);
    }
    match done.seq {
        None if done.outputs > 0 => {}
        None => out.line("nothing of it is kept"),
        Some(seq) => {
            out.line(&format!(
                "erased: {} keys of {}, {} sealed bodies, {} imported exchanges (record {seq})",
                done.keys,
                if done.months.is_empty() {
                    "no month".to_owned()
                } else {
                    done.months.join(", ")
                },
                done.bodies,
                done.imported
            ));
            if done.beyond.is_none() {
                out.line(&format!(
                    "no copy of a destroyed key is left in {} bytes of the store's file{}",
                    done.searched_bytes,
                    if done.rewritten {
                        ", which was written anew"
                    } else {
                        ""
                    }
                ));
            }
        }
    }
    if done.unattributed > 0 {
        out.say(&format!(
            "{} bodies or imported exchanges of account {} name no subject and stay: erase the account, or let their time run out",
            done.unattributed, done.account
        ));
    }
    if done.outputs > 0 {
        out.line(&format!(
            "{} fingerprints of {} outputs are taken out of the registry",
            done.fingerprints, done.outputs
        ));
    }
    if done.seq.is_some() || done.outputs > 0 {
        out.say("registries in other folders and those handed over still hold what they held");
    }
    if let Some(why) = &done.fingerprints_remain {
        out.say(&format!(
            "its fingerprints are still in the registry ({why}); a running server tries again, and so does the next start or erasure"
        ));
    }
    if let Some(beyond) = &done.beyond {
        out.say(beyond);
    }
    Ok(match done.fingerprints_remain {
        None => Exit::Clean,
        Some(_) => Exit::Error,
    })
}
