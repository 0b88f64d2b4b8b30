use super::*;

const PEOPLE: &str = r#"
[[person]]
name = "ann"
role = "reviewer"
identity = "ssh-ed25519 AAAA1"
[[person]]
name = "ann2"
role = "approver"
identity = " ssh-ed25519 AAAA1 "
[[person]]
name = "aud"
role = "auditor"
identity = "https://id.example aud"
[[person]]
name = "odd"
role = "king"
identity = "x"
"#;

#[test]
fn people_are_known_by_their_proof_and_not_by_their_name() {
    let folder = tempfile::tempdir().unwrap();
    let named = staff(folder.path(), "ann").unwrap();
    let other = staff(folder.path(), "bob").unwrap();
    assert!(!named.same_person(&other) && named.role == Role::Approver);
    assert!(named.same_person(&staff(folder.path(), "Ann").unwrap()));
    std::fs::write(folder.path().join(FILE), PEOPLE).unwrap();
    let ann = staff(folder.path(), "ann").unwrap();
    let second = staff(folder.path(), "ann2").unwrap();
    assert!(ann.person != second.person && ann.same_person(&second));
    assert_eq!(staff(folder.path(), "aud").unwrap().role, Role::Auditor);
    for (stranger, says) in [
        ("bob", "not among the people"),
        ("odd", "`king` is no role"),
    ] {
        let refused = staff(folder.path(), stranger).unwrap_err().to_string();
        assert!(refused.contains(says), "{refused}");
    }
    let accused = customer("acme").unwrap();
    assert_eq!(accused.role, Role::Customer);
}
