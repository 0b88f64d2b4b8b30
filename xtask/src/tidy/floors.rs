//! Who may lean on whom.

use std::path::PathBuf;

use serde::Deserialize;

use super::Fault;

/// One crate of the workspace and the crates it names.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Where it lies.
    pub folder: PathBuf,
    /// What it names, ours and foreign.
    pub leans_on: Vec<(String, Leaning)>,
}

/// How a crate names another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaning {
    /// In the program.
    Normal,
    /// In its build script.
    Build,
    /// In its tests only.
    Tests,
}

/// Where a crate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A room of the house, on this floor.
    Floor(u8),
    /// Beside the house: may look into the pure floors; only tests and the
    /// binary's `demo` and `bench` may look into it.
    Shed,
}

/// The plan of ARCHITECTURE.md; a crate that is not in it has no place.
const PLAN: &[(&str, Place)] = &[
    ("facts", Place::Floor(0)),
    ("verifier", Place::Floor(0)),
    ("wire", Place::Floor(1)),
    ("terms", Place::Floor(1)),
    ("detection", Place::Floor(1)),
    ("provenance", Place::Floor(1)),
    ("privacy", Place::Floor(1)),
    ("evidence", Place::Floor(1)),
    ("cases", Place::Floor(1)),
    ("engine", Place::Floor(2)),
    ("store", Place::Floor(3)),
    ("corpus", Place::Floor(3)),
    ("gateway", Place::Floor(4)),
    ("console", Place::Floor(4)),
    ("fairhold", Place::Floor(5)),
    ("simulation", Place::Shed),
    ("testbed", Place::Shed),
    ("faults", Place::Shed),
    ("xtask", Place::Shed),
];

/// The highest floor on which nothing reads a clock, a socket, a file or a
/// random source.
const PURE_UP_TO: u8 = 2;

/// Foreign crates that bring a clock, a socket, a file or a random source. `memmap2` is none: it maps a
/// file only for who has one, and memory without a file for the others.
const IMPURE: &[&str] = &[
    "tokio",
    "mio",
    "socket2",
    "async-std",
    "smol",
    "hyper",
    "hyper-util",
    "hyper-rustls",
    "reqwest",
    "axum",
    "tower",
    "rustls",
    "sqlx",
    "rusqlite",
    "redis",
    "getrandom",
    "rand",
    "fastrand",
    "chrono",
    "time",
    "tempfile",
    "walkdir",
    "tracing-subscriber",
];

fn place(name: &str) -> Option<Place> {
    PLAN.iter()
        .find(|(n, _)| *n == name)
        .map(|(_, place)| *place)
}

/// Whether the crate stands below the line.
pub(super) fn is_pure(name: &str) -> bool {
    matches!(place(name), Some(Place::Floor(floor)) if floor <= PURE_UP_TO)
}

/// Every leaning that the plan forbids.
pub(super) fn faults(members: &[Member]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for member in members {
        let Some(own) = place(&member.name) else {
            faults.push(fault(&member.name, "has no place in the plan: give it a floor in xtask/src/tidy/floors.rs and ARCHITECTURE.md".to_owned()));
            continue;
        };
        for (other, leaning) in &member.leans_on {
            if let Some(what) = wrong(&member.name, own, other, *leaning) {
                faults.push(fault(&member.name, what));
            }
        }
    }
    faults
}

fn fault(name: &str, what: String) -> Fault {
    Fault {
        place: format!("crate {name}"),
        what,
    }
}

fn wrong(name: &str, own: Place, other: &str, leaning: Leaning) -> Option<String> {
    let Some(theirs) = place(other) else {
        let impure = is_pure(name) && leaning != Leaning::Tests && IMPURE.contains(&other);
        return impure.then(|| {
            format!("stands below the line and names `{other}`: take what it gives as an argument")
        });
    };
    match (own, theirs, leaning) {
        (Place::Floor(own), Place::Floor(theirs), _) if theirs < own => None,
        (Place::Floor(own), Place::Floor(theirs), _) if theirs == own => Some(format!(
            "names its neighbour `{other}` on floor {own}: neighbours never meet, join them one floor up"
        )),
        (Place::Floor(own), Place::Floor(theirs), _) => Some(format!(
            "leans upward from floor {own} on `{other}` on floor {theirs}: turn the arrow round"
        )),
        (Place::Floor(_), Place::Shed, Leaning::Tests) | (Place::Shed, _, _) => None,
        (Place::Floor(5), Place::Shed, _) if ["simulation", "testbed"].contains(&other) => None,
        (Place::Floor(_), Place::Shed, _) => {
            Some(format!("ships the shed `{other}`: only tests may name it"))
        }
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
}

/// Reads what `cargo metadata --no-deps` prints.
pub(super) fn parse(json: &[u8]) -> Result<Vec<Member>, String> {
    let metadata: Metadata = serde_json::from_slice(json)
        .map_err(|e| format!("failed to read what `cargo metadata` printed: {e}"))?;
    let member = |package: Package| Member {
        name: package.name,
        folder: package
            .manifest_path
            .parent()
            .map(PathBuf::from)
            .unwrap_or_default(),
        leans_on: package.dependencies.into_iter().map(leaning).collect(),
    };
    Ok(metadata.packages.into_iter().map(member).collect())
}

fn leaning(dependency: Dependency) -> (String, Leaning) {
    let how = match dependency.kind.as_deref() {
        Some("dev") => Leaning::Tests,
        Some("build") => Leaning::Build,
        _ => Leaning::Normal,
    };
    (dependency.name, how)
}
