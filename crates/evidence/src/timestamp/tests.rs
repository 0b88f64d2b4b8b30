use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;

/// An authority of openssl's, in a folder of its own.
pub(crate) struct Authority(tempfile::TempDir);

impl Authority {
    pub(crate) fn new(kind: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/outside/tsa.sh");
        let made = Command::new("bash")
            .args([Path::new(script), folder.path(), Path::new(kind)])
            .output()
            .expect("bash must be installed");
        let told = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "openssl must be installed: {told}");
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn root(&self) -> Vec<u8> {
        std::fs::read(self.path("ca.pem")).unwrap()
    }

    pub(crate) fn answer(&self, request: &[u8]) -> Vec<u8> {
        std::fs::write(self.path("q.tsq"), request).unwrap();
        let told = Command::new("openssl")
            .args(["ts", "-reply", "-config"])
            .arg(self.path("tsa.cnf"))
            .arg("-queryfile")
            .arg(self.path("q.tsq"))
            .arg("-out")
            .arg(self.path("r.tsr"))
            .output()
            .expect("openssl must be installed");
        assert!(told.status.success(), "{told:?}");
        std::fs::read(self.path("r.tsr")).unwrap()
    }

    /// What openssl says of a response, with our chain beside it.
    fn openssl_accepts(&self, stamp: &Timestamp, data: &[u8]) -> bool {
        for (name, bytes) in [
            ("v.tsr", &stamp.response[..]),
            ("v.data", data),
            ("v.pem", &stamp.chain),
        ] {
            std::fs::write(self.path(name), bytes).unwrap();
        }
        Command::new("openssl")
            .args(["ts", "-verify", "-in"])
            .arg(self.path("v.tsr"))
            .arg("-data")
            .arg(self.path("v.data"))
            .arg("-CAfile")
            .arg(self.path("ca.pem"))
            .arg("-untrusted")
            .arg(self.path("v.pem"))
            .output()
            .expect("openssl must be installed")
            .status
            .success()
    }
}

const DATA: &[u8] = b"a checkpoint";

#[test]
fn what_openssl_stamps_holds_here_and_there() {
    for kind in ["rsa", "p256", "p384"] {
        let authority = Authority::new(kind);
        for nonce in [1, 0x80, u64::MAX, 0] {
            let answer = authority.answer(&request(DATA, nonce).unwrap());
            let (stamp, stamped) = accept(&answer, DATA, nonce, &authority.root()).unwrap();
            assert!(stamped.authority.contains("Test Timestamp Authority"));
            assert_eq!(stamped.policy, "1.2.3.4.1");
            assert!(authority.openssl_accepts(&stamp, DATA), "{kind}");
            let again = verify(&stamp.response, DATA, &authority.root(), &[]);
            assert_eq!(again, Ok(stamped));
        }
    }
}

#[test]
fn a_timestamp_of_something_else_or_by_somebody_else_is_refused() {
    let (authority, other) = (Authority::new("p256"), Authority::new("p256"));
    let answer = authority.answer(&request(DATA, 7).unwrap());
    let (stamp, _) = accept(&answer, DATA, 7, &authority.root()).unwrap();
    let check = |data, root: &[u8], between: &[u8]| verify(&stamp.response, data, root, between);
    assert_eq!(
        check(b"another", &authority.root(), &[]),
        Err(TimestampError::Other)
    );
    // Its own chain beside it does not make a stranger trusted.
    for root in [other.root(), Vec::new()] {
        assert_eq!(
            check(DATA, &root, &stamp.chain),
            Err(TimestampError::Untrusted)
        );
    }
    assert!(matches!(
        accept(&answer, DATA, 8, &authority.root()),
        Err(StampError::Nonce)
    ));
    // The authority's raw answer carries its root: that is not the one form.
    assert!(matches!(
        verify(&answer, DATA, &authority.root(), &[]),
        Err(TimestampError::Shape(_))
    ));
    let refusal = [0x30, 5, 0x30, 3, 2, 1, 2];
    assert!(matches!(
        accept(&refusal, DATA, 7, &authority.root()),
        Err(StampError::Refused(_))
    ));
    assert!(accept(b"", DATA, 7, &authority.root()).is_err());
}

#[test]
fn one_changed_bit_anywhere_is_refused() {
    for kind in ["rsa", "p256"] {
        let authority = Authority::new(kind);
        let answer = authority.answer(&request(DATA, 9).unwrap());
        let (stamp, _) = accept(&answer, DATA, 9, &authority.root()).unwrap();
        let mut changed = stamp.response.clone();
        for bit in 0..changed.len() * 8 {
            changed[bit / 8] ^= 1 << (bit % 8);
            let held = verify(&changed, DATA, &authority.root(), &stamp.chain);
            assert!(held.is_err(), "{kind}: bit {bit}: {held:?}");
            changed[bit / 8] ^= 1 << (bit % 8);
        }
        for cut in 0..stamp.response.len() {
            assert!(verify(&stamp.response[..cut], DATA, &authority.root(), &[]).is_err());
        }
    }
}

/// A certificate that is not for timestamps stamps nothing, whoever signed it.
#[test]
fn only_a_certificate_for_timestamps_counts() {
    let authority = Authority::new("p256");
    let answer = authority.answer(&request(DATA, 3).unwrap());
    let (stamp, _) = accept(&answer, DATA, 3, &authority.root()).unwrap();
    // The signer's own certificate as an authority is none.
    let signer = std::fs::read(authority.path("tsa.pem")).unwrap();
    assert_eq!(
        verify(&stamp.response, DATA, &signer, &[]),
        Err(TimestampError::Untrusted)
    );
    std::fs::write(
        authority.path("ext"),
        "basicConstraints=critical,CA:FALSE\nextendedKeyUsage=critical,timeStamping,codeSigning\n",
    )
    .unwrap();
    let made = Command::new("openssl")
        .current_dir(authority.0.path())
        .args([
            "x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
        ])
        .args(["-days", "9", "-extfile", "ext", "-out", "both.pem"])
        .output()
        .expect("openssl must be installed");
    assert!(made.status.success(), "{made:?}");
    let text = std::fs::read_to_string(authority.path("tsa.cnf")).unwrap();
    std::fs::write(
        authority.path("tsa.cnf"),
        text.replace("tsa.pem", "both.pem"),
    )
    .unwrap();
    let told = Command::new("openssl")
        .args(["ts", "-reply", "-config"])
        .arg(authority.path("tsa.cnf"))
        .arg("-queryfile")
        .arg(authority.path("q.tsq"))
        .output()
        .expect("openssl must be installed");
    // openssl itself refuses to stamp with it, or we refuse what it stamped.
    if told.status.success() {
        assert!(accept(&told.stdout, DATA, 3, &authority.root()).is_err());
    }
}

/// What must be understood and is not makes a certificate unfit, wherever it stands on the way.
#[test]
fn unknown_critical_extensions_are_refused() {
    let authority = Authority::new("p256");
    let answer = authority.answer(&request(DATA, 3).unwrap());
    let (stamp, _) = accept(&answer, DATA, 3, &authority.root()).unwrap();
    let again = |name: &str, extension: &str| {
        let made = Command::new("openssl")
            .current_dir(authority.0.path())
            .args(["req", "-x509", "-key", "ca.key", "-days", "9", "-out", name])
            .args(["-subj", "/O=Test/CN=Test Root", "-addext", extension])
            .args(["-addext", "basicConstraints=critical,CA:TRUE"])
            .output()
            .expect("openssl must be installed");
        assert!(made.status.success(), "{made:?}");
        std::fs::read(authority.path(name)).unwrap()
    };
    for (extension, fit) in [
        ("1.2.3.4=DER:0500", true),
        ("1.2.3.4=critical,DER:0500", false),
        ("nameConstraints=critical,permitted;DNS:example.com", false),
    ] {
        let held = verify(&stamp.response, DATA, &again("odd.pem", extension), &[]);
        assert_eq!(held.is_ok(), fit, "{extension}: {held:?}");
        if !fit {
            assert!(matches!(held, Err(TimestampError::Chain(_))), "{held:?}");
        }
    }
}
