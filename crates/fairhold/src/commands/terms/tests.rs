use super::*;
use clap::Parser as _;

use crate::args::{Cli, Command};

fn ran(line: &str) -> Result<Exit, Failure> {
    let cli = Cli::try_parse_from(line.split_whitespace()).unwrap();
    let Command::Terms(what) = cli.command else {
        panic!("{line}")
    };
    run(&what, Out::new(false))
}

#[test]
fn the_seed_case_is_decided_by_the_text_of_its_day() {
    let asked = "fairhold terms explain --document openai/services --purpose classifier-internal --declare not-distributed --at";
    assert_eq!(ran(&format!("{asked} 2023-12-15")).unwrap(), Exit::Finding);
    assert_eq!(ran(&format!("{asked} 2026-02-01")).unwrap(), Exit::Clean);
}

#[test]
fn a_country_is_on_the_list_or_off_it() {
    let asked = "fairhold terms explain --document openai/services --at 2026-02-01 --supported US DE --country";
    assert_eq!(ran(&format!("{asked} de")).unwrap(), Exit::Clean);
    assert_eq!(ran(&format!("{asked} KP")).unwrap(), Exit::Finding);
    let error = ran(&format!("{asked} Korea")).unwrap_err().to_string();
    assert!(error.contains("two letters"), "{error}");
}

#[test]
fn an_altered_copy_marked_unrestricted_stays_restricted() {
    let asked = "fairhold terms explain --at 2023-12-15 --use train --target foundation --competes --transformed desensitized --marked unrestricted --document";
    assert_eq!(
        ran(&format!("{asked} openai/services")).unwrap(),
        Exit::Finding
    );
    let free = asked.replace("2023-12-15", "2026-06-01");
    assert_eq!(
        ran(&format!("{free} deepseek/open-platform")).unwrap(),
        Exit::Clean
    );
}

#[test]
fn what_is_unknown_is_told_with_what_would_do() {
    for (line, told) in [
        (
            "explain --document openai/services --purpose training",
            "is not a purpose",
        ),
        (
            "explain --document openai/services --declare nothing",
            "use one of not-distributed",
        ),
        (
            "explain --document openai/services --conduct rude",
            "use one of reverse-engineering",
        ),
        ("explain --document nobody/nothing", "terms list"),
        ("explain --document openai", "provider/document"),
        ("show openai/none", "terms list"),
        ("list --at 2023-02-30", "YYYY-MM-DD"),
        (
            "export --document openai/services --at 2025-01-01",
            "another day",
        ),
        ("check /nowhere", "failed to read the folder"),
    ] {
        let error = ran(&format!("fairhold terms {line}"))
            .unwrap_err()
            .to_string();
        assert!(error.contains(told), "{line}: {error}");
    }
}

#[test]
fn lists_shows_compares_and_exports() {
    for line in [
        "list --at 2026-09-01",
        "show xai/enterprise --policies",
        "show xai-enterprise-2026-05-12",
        "diff openai-services-2023-10-16 openai-services-2026-01-01",
        "export --document xai/enterprise --as odrl",
        "export --document xai/enterprise --as cawg",
        "export --document xai/enterprise --as aipref",
        "export --document xai/enterprise openrouter/terms --as table",
    ] {
        assert_eq!(
            ran(&format!("fairhold terms {line}")).unwrap(),
            Exit::Clean,
            "{line}"
        );
    }
}
