//! A bundle says when its checkpoint was there, in the words of an authority
//! that is not the house: openssl's, run here.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::crash;

/// An authority of openssl's, in a folder of its own; its root.
async fn authority(folder: &Path) -> PathBuf {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/outside/tsa.sh");
    let made = Command::new("bash")
        .args([Path::new(script), folder, Path::new("p256")])
        .output()
        .await
        .unwrap();
    let told = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "openssl must be installed: {told}");
    folder.join("ca.pem")
}

#[tokio::test]
async fn an_exported_bundle_carries_the_word_of_an_authority() {
    let folder = tempfile::tempdir().unwrap();
    let (data, config) = (folder.path().join("data"), folder.path().join("serve.toml"));
    let own = authority(&folder.path().join("tsa")).await;
    let other = authority(&folder.path().join("other")).await;
    let text = format!(
        "listen = \"127.0.0.1:0\"\n[evidence]\n\
         tsa_command = [\"openssl\", \"ts\", \"-reply\", \"-config\", \"{}\", \"-queryfile\", \"/dev/stdin\"]\n\
         tsa_chain = \"{}\"\n\
         [[upstream]]\nname = \"mock\"\nkind = \"mock\"\nmodels = [\"mock-1\"]\n",
        folder.path().join("tsa/tsa.cnf").display(),
        own.display()
    );
    std::fs::write(&config, text).unwrap();
    let (server, _) = crash::serve(&data, &config).await;
    crash::ask(&data, &["account", "create", "bad"]).await;
    let propose = [
        "case",
        "propose",
        "bad",
        "--clause",
        "c",
        "--summary",
        "s",
        "--by",
        "ann",
    ];
    let case = crash::ask(&data, &propose).await;
    let bundle = folder.path().join("case.zip");
    let (case, file) = (case["case"].as_str().unwrap(), bundle.to_str().unwrap());
    let told = crash::ask(&data, &["export", case, "--out", file]).await;
    let key = told["key"].as_str().unwrap();
    drop(server);

    let verify = async |root: &Path| {
        let out = Command::new(env!("CARGO_BIN_EXE_fairhold"))
            .args(["verify", file, "--json", "--key", key])
            .args(["--ask", "timestamp", "--tsa"])
            .arg(root)
            .output()
            .await
            .unwrap();
        let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        (out.status.code(), report)
    };
    let (code, report) = verify(&own).await;
    assert_eq!(code, Some(0), "{report}");
    let (code, report) = verify(&other).await;
    assert!(matches!(code, Some(1 | 3)), "{report}");
}
