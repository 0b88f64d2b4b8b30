//! Terms, from what is typed and configured to what is refused and recorded.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;
use testbed::socket::{ask, upstream};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

use crate::crash;

const TERMS: &str = "country_header = \"x-country\"\n[terms]\ndocuments = [\"openai/services\"]\n\
                     [terms.countries]\n\"openai/services\" = [\"US\", \"DE\"]\n";

struct Served {
    folder: TempDir,
    process: Option<Child>,
    gateway: SocketAddr,
    key: String,
    /// Further tables of the configuration.
    more: String,
}

impl Served {
    /// `serve --enforce` under the `OpenAI` text, with an account `a` of project `a`.
    async fn start() -> Self {
        Self::start_with("").await
    }

    async fn start_with(more: &str) -> Self {
        let mut served = Self {
            folder: tempfile::tempdir().unwrap(),
            process: None,
            gateway: ([127, 0, 0, 1], 1).into(),
            key: String::new(),
            more: more.to_owned(),
        };
        served.serve().await;
        served
            .told(&["account", "create", "a", "--purpose", "rag"])
            .await;
        let key = served.told(&["key", "create", "a"]).await;
        key["key"].as_str().unwrap().clone_into(&mut served.key);
        served
    }

    async fn serve(&mut self) {
        let answers = upstream(|mut stream, _| async move {
            let body = r#"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#;
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        })
        .await;
        let config = self.folder.path().join("serve.toml");
        let text = format!(
            "listen = \"127.0.0.1:0\"\n{TERMS}\n{}\n[[upstream]]\nname = \"u\"\nkind = \"openai\"\n\
             base_url = \"http://{answers}\"\nmodels = [\"m\"]\n",
            self.more
        );
        std::fs::write(&config, text).unwrap();
        drop(self.process.take());
        let (process, gateway) = crash::serve_with(&self.data(), &config, &["--enforce"]).await;
        self.process = Some(process);
        self.gateway = gateway.parse().unwrap();
    }

    fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    async fn post(&self, headers: &str) -> String {
        let body = r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#;
        let request = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n{headers}connection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.key,
            body.len()
        );
        ask(self.gateway, request.as_bytes()).await
    }

    async fn told(&self, args: &[&str]) -> Value {
        crash::ask(&self.data(), args).await
    }
}

#[tokio::test]
async fn purposes_agreements_and_countries_decide_from_the_next_request_on() {
    let mut served = Served::start().await;
    assert!(served.post("").await.starts_with("HTTP/1.1 200"));
    let undeclared = served.post("x-fairhold-purpose: evaluation\r\n").await;
    assert!(
        undeclared.contains("fairhold/purpose-declared"),
        "{undeclared}"
    );
    for unreadable in [
        "x-fairhold-purpose: \r\n".to_owned(),
        "x-fairhold-purpose: rag\r\nx-fairhold-purpose: evaluation\r\n".to_owned(),
        "x-fairhold-purpose: rag\u{e9}\r\n".to_owned(),
        format!("x-fairhold-purpose: {}\r\n", "x".repeat(200)),
    ] {
        let answer = served.post(&unreadable).await;
        assert!(answer.contains("fairhold/purpose-declared"), "{unreadable}");
    }
    let abroad = served.post("x-country: KP\r\n").await;
    assert!(abroad.starts_with("HTTP/1.1 403"), "{abroad}");
    assert!(
        abroad.contains("openai-services-2026-01-01/16.12"),
        "{abroad}"
    );
    assert!(
        served
            .post("x-country: DE\r\n")
            .await
            .starts_with("HTTP/1.1 200")
    );

    served
        .told(&[
            "account",
            "declare",
            "a",
            "train-competing-model",
            "evaluation",
        ])
        .await;
    let rival = served.post("").await;
    assert!(
        rival.contains("openai-services-2026-01-01/3.3(e)"),
        "{rival}"
    );
    let evaluation = "x-fairhold-purpose: evaluation\r\n";
    assert!(served.post(evaluation).await.starts_with("HTTP/1.1 200"));
    let agreement = served.folder.path().join("agreement.toml");
    let licence = "[[authorisation]]\nclause = \"openai-services-2026-01-01/3.3(e)\"\n\
                   purpose = \"train-competing-model\"\nfrom = \"2026-01-01\"\n\
                   [[expected]]\npurpose = \"evaluation\"\nrequests_per_month = 2\n";
    std::fs::write(&agreement, licence).unwrap();
    let path = agreement.to_str().unwrap();
    let terms = served.told(&["account", "agree", "a", path]).await;
    assert_eq!(
        terms["documents"][0]["version"],
        "openai-services-2026-01-01"
    );
    assert!(served.post("").await.starts_with("HTTP/1.1 200"));

    assert!(served.post(evaluation).await.starts_with("HTTP/1.1 200"));
    let over = served.post(evaluation).await;
    assert!(over.contains("house/expected-usage"), "{over}");
    served.serve().await;
    let still = served.post(evaluation).await;
    assert!(
        still.contains("house/expected-usage"),
        "after a restart: {still}"
    );
}

#[tokio::test]
async fn a_customer_sees_the_terms_that_bind_it() {
    let served = Served::start().await;
    let request = format!(
        "GET /v1/terms HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n",
        served.key
    );
    let answer = ask(served.gateway, request.as_bytes()).await;
    let body = answer.split("\r\n\r\n").nth(1).unwrap();
    let terms: Value = serde_json::from_str(body).unwrap();
    assert_eq!(terms["purposes"][0], "rag");
    let clauses = terms["documents"][0]["clauses"].as_array().unwrap();
    assert!(
        clauses
            .iter()
            .any(|clause| clause["id"] == "openai-services-2026-01-01/3.3(e)")
    );
    let status = served.told(&["status", "a"]).await;
    assert_eq!(status["documents"], terms["documents"]);
    let refused = ask(
        served.gateway,
        b"GET /v1/terms HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    )
    .await;
    assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
}

async fn typed(args: &[&str], data: &Path) -> (i32, Value, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_fairhold"))
        .args(args)
        .arg("--json")
        .arg("--data")
        .arg(data)
        .output()
        .await
        .unwrap();
    let talk = String::from_utf8_lossy(&out.stderr).into_owned();
    let told = serde_json::from_slice(&out.stdout).unwrap_or_default();
    (out.status.code().unwrap(), told, talk)
}

/// A proposal that forbids answers shown in products.
fn proposal(folder: &Path) -> String {
    let version = folder.join("proposed/openai-services-2026-12-01");
    std::fs::create_dir_all(&version).unwrap();
    let write = |file: &str, text: &str| std::fs::write(version.join(file), text).unwrap();
    write(
        "facts.toml",
        "provider = \"openai\"\ndocument = \"services\"\nversion = \"2026-12-01\"\ntitle = \"Proposed\"\n\
         class = \"forbid-any\"\n[effective]\nfrom = \"2026-12-01\"\nfrom_basis = \"effective\"\n\
         [source]\nreference = \"written for a test\"\n[[clause]]\nid = \"1\"\n\
         paraphrase = \"No products.\"\nforbids = [\"inference-product\"]\n",
    );
    write(
        "policies.cedar",
        "@id(\"one\")\n@clause(\"openai-services-2026-12-01/1\")\nforbid (principal, action, resource)\n\
         when { context has purpose && context.purpose == \"inference-product\" };\n",
    );
    let case = |purpose: &str, fires: bool| {
        format!(
            "[[case]]\nclause = \"1\"\nname = \"{purpose}\"\nfires = {fires}\npurpose = \"{purpose}\"\n"
        )
    };
    let cases = case("inference-product", true).repeat(3)
        + &["rag", "evaluation", "resale"]
            .map(|purpose| case(purpose, false))
            .concat();
    write("cases.toml", &cases);
    folder.join("proposed").to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_proposal_is_replayed_against_what_was_recorded() {
    let served = Served::start().await;
    served
        .told(&["account", "declare", "a", "inference-product"])
        .await;
    for _ in 0..3 {
        assert!(served.post("").await.starts_with("HTTP/1.1 200"));
    }
    let dir = proposal(served.folder.path());
    let data = served.data();
    let (code, report, talk) = typed(&["terms", "check", &dir], &data).await;
    assert_eq!(
        (code, &report["mutation_score"]),
        (0, &1.0.into()),
        "{report} {talk}"
    );
    let (code, told, talk) = typed(&["terms", "test", &dir, "--since", "2026-01-01"], &data).await;
    assert_eq!(code, 0, "{talk}");
    assert_eq!(
        (&told["exchanges"], &told["newly_denied"]),
        (&3.into(), &3.into())
    );
    assert_eq!(
        (&told["unknown_hit"], &told["confirmed_abusers_hit"]),
        (&1.into(), &0.into())
    );
    let reason = "the facts";
    let case = served
        .told(&[
            "case",
            "propose",
            "a",
            "--clause",
            "openai-services-2026-01-01/3.3(e)",
            "--summary",
            reason,
            "--by",
            "ann",
        ])
        .await;
    let case = case["case"].as_str().unwrap();
    served.told(&["case", "approve", case, "--by", "ben"]).await;
    let (_, told, _) = typed(&["terms", "test", &dir], &data).await;
    assert_eq!(told["confirmed_abusers_hit"], 1);
    served
        .told(&[
            "case",
            "appeal",
            case,
            "--by",
            "a",
            "--comment",
            "we did not",
        ])
        .await;
    served
        .told(&["case", "overturn", case, "--by", "eve"])
        .await;
    let (_, told, _) = typed(&["terms", "test", &dir], &data).await;
    assert_eq!(told["cleared_accounts_hit"], 1);
    assert_eq!(
        told["by_account"][0]["clauses"][0],
        "openai-services-2026-12-01/1"
    );
    let (code, _, talk) = typed(&["terms", "test", &dir, "--since", "2099-01-01"], &data).await;
    assert_eq!(code, 2, "{talk}");
}

/// What was refused under the text in force counts when a proposal would let
/// it pass; what was refused for its country does not, and is told.
#[tokio::test]
async fn a_proposal_that_allows_more_is_shown_what_was_refused() {
    let served = Served::start().await;
    served
        .told(&["account", "declare", "a", "train-competing-model", "rag"])
        .await;
    for _ in 0..2 {
        let refused = served.post("").await;
        assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
    }
    let rag = "x-fairhold-purpose: rag\r\n";
    assert!(served.post(rag).await.starts_with("HTTP/1.1 200"));
    let abroad = served.post(&format!("{rag}x-country: KP\r\n")).await;
    assert!(abroad.starts_with("HTTP/1.1 403"), "{abroad}");
    let undeclared = served.post("x-fairhold-purpose: evaluation\r\n").await;
    assert!(undeclared.starts_with("HTTP/1.1 403"), "{undeclared}");

    let dir = proposal(served.folder.path());
    let (code, told, talk) = typed(&["terms", "test", &dir], &served.data()).await;
    assert_eq!(code, 0, "{talk}");
    assert_eq!(
        (
            &told["exchanges"],
            &told["newly_allowed"],
            &told["newly_denied"],
            &told["unjudged"]
        ),
        (&3.into(), &2.into(), &0.into(), &1.into()),
        "{told}"
    );
    assert_eq!(
        told["by_account"][0]["clauses"][0],
        "openai-services-2026-01-01/3.3(e)"
    );
}

#[tokio::test]
async fn a_proposal_is_replayed_against_a_store_in_postgresql() {
    let databases = testbed::databases();
    let store = format!("[store]\nurl = \"{}\"\n", databases.postgres);
    let served = Served::start_with(&store).await;
    for _ in 0..3 {
        assert!(served.post("").await.starts_with("HTTP/1.1 200"));
    }
    let dir = proposal(served.folder.path());
    let args = ["terms", "test", &dir, "--store", &databases.postgres];
    let (code, told, talk) = typed(&args, &served.data()).await;
    assert_eq!((code, &told["exchanges"]), (0, &3.into()), "{talk}");
    let (code, _, talk) = typed(&args[..3], &served.data()).await;
    assert_eq!(code, 2);
    assert!(talk.contains("`--store`"), "{talk}");
}

#[tokio::test]
async fn policies_that_do_not_hold_are_refused_with_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let dir = proposal(folder.path());
    let file = Path::new(&dir).join("openai-services-2026-12-01/policies.cedar");
    let good = std::fs::read_to_string(&file).unwrap();
    for (bad, told) in [
        (
            good.replace("== \"inference-product\"", "== 7"),
            "openai-services-2026-12-01/policies.cedar:1: ",
        ),
        (
            good.replace("when {", "when {{{"),
            "openai-services-2026-12-01/policies.cedar:4: ",
        ),
        (
            good.replace("-12-01/1", "-12-01/9"),
            "openai-services-2026-12-01/policies.cedar: clause",
        ),
    ] {
        std::fs::write(&file, bad).unwrap();
        let (code, report, talk) = typed(&["terms", "check", &dir], folder.path()).await;
        assert_eq!(code, 1, "{report}");
        assert!(talk.contains(told), "{told}: {talk}");
        let (code, _, talk) =
            typed(&["terms", "test", &dir, "--logs", "none"], folder.path()).await;
        assert_eq!(code, 2, "{talk}");
    }
}
