//! `cargo xtask tidy`: checks the house's walls and measures.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use xtask::tidy;

fn main() -> ExitCode {
    let asked = std::env::args().nth(1);
    let mut err = std::io::stderr().lock();
    let mut out = std::io::stdout().lock();
    #[cfg(feature = "prove")]
    if asked.as_deref() == Some("prove") {
        return xtask::prove::run();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    #[cfg(feature = "train")]
    if let Some(what @ ("train" | "judge")) = asked.as_deref() {
        let rest: Vec<String> = std::env::args().skip(2).collect();
        let check = rest.iter().any(|arg| arg == "--check");
        let dir = rest.into_iter().find(|arg| arg != "--check");
        return if what == "judge" {
            xtask::judge::run(check, dir, &root)
        } else {
            xtask::train::run(check, dir, &root)
        };
    }
    if asked.as_deref() != Some("tidy") {
        let _ = writeln!(
            err,
            "cargo xtask tidy    check the walls and measures of the tree\n\
             cargo prove         prove that no policy errs and no clause is idle (needs cvc5)\n\
             cargo train [DIR]   make the shipped detector from recorded traffic; --check compares\n\
             cargo judge [DIR]   make the shipped judge of corpus audits; --check compares"
        );
        return ExitCode::from(2);
    }
    match tidy::check(&root) {
        Ok(report) if report.faults.is_empty() => {
            let _ = writeln!(
                out,
                "tidy: {} crates, {} files, every wall stands",
                report.crates, report.files
            );
            ExitCode::SUCCESS
        }
        Ok(report) => {
            for fault in &report.faults {
                let _ = writeln!(err, "{fault}");
            }
            let _ = writeln!(err, "tidy: {} faults", report.faults.len());
            ExitCode::from(1)
        }
        Err(error) => {
            let _ = writeln!(err, "failed to check the tree: {error}");
            ExitCode::from(2)
        }
    }
}
