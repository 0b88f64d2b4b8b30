use super::*;

fn parse(upstream: &str) -> Result<Config, ConfigError> {
    Config::parse(&format!(
        "listen = \"127.0.0.1:0\"\n[[upstream]]\nname = \"u\"\n{upstream}"
    ))
}

#[test]
fn mistakes_are_errors_at_load() {
    for (upstream, says) in [
        ("kind = \"mock\"\nmodels = []", "`models` is empty"),
        ("kind = \"mock\"\nmodels = [\"a*b\"]", "one `*`"),
        (
            "kind = \"mock\"\nmodels = [\"a\"]\nbase_url = \"http://x\"",
            "only",
        ),
        (
            "kind = \"openai\"\nmodels = [\"a\"]",
            "`base_url` is missing",
        ),
        (
            "kind = \"openai\"\nmodels = [\"a\"]\nbase_url = \"ftp://x\"",
            "http://",
        ),
        (
            "kind = \"mock\"\nmodels = [\"a\"]\nmodel = \"b\"",
            "unknown field",
        ),
        ("kind = \"magic\"\nmodels = [\"a\"]", "unknown variant"),
        (
            "kind = \"mock\"\nmodels = [\"a\", \"a\"]",
            "two upstreams serve",
        ),
    ] {
        let error = parse(upstream).unwrap_err().to_string();
        assert!(error.contains(says), "{error} should say {says}");
    }
    assert!(Config::parse("listen = \"127.0.0.1:0\"\nupstream = []").is_err());
}

#[test]
fn exact_names_win_over_prefixes() {
    let config = parse("kind = \"mock\"\nmodels = [\"gpt-*\", \"gpt-4o\", \"*\"]").unwrap();
    let upstream = &config.upstreams[0];
    assert_eq!(upstream.serves("gpt-4o"), Some(usize::MAX));
    assert_eq!(upstream.serves("gpt-4"), Some(4));
    assert_eq!(upstream.serves("claude"), Some(0));
}
