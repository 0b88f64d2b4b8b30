use super::*;

async fn door(folder: &std::path::Path) -> Door {
    let url = format!("sqlite:{}", folder.join("a.db").display());
    let database = Database::open(&url).await.unwrap();
    let row = store::PersonRow {
        name: "ann".to_owned(),
        role: "reviewer".to_owned(),
        identity: "one".to_owned(),
        invited_by: "eve".to_owned(),
        created_at: Timestamp(0),
        ended_at: None,
    };
    database.keep_person(&row).await.unwrap();
    Door::new(database, Origin::localhost(1))
}

fn with(cookie: &HeaderValue) -> HeaderMap {
    let text = cookie.to_str().unwrap();
    let pair = text.split(';').next().unwrap();
    let mut headers = HeaderMap::new();
    headers.insert(header::COOKIE, HeaderValue::from_str(pair).unwrap());
    headers
}

#[tokio::test]
async fn a_cookie_opens_its_own_door_until_its_owner_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let door = door(folder.path()).await;
    assert!(door.staff(&HeaderMap::new()).await.unwrap().is_none());
    let ann = Whose::Person("ann".to_owned());
    let cookie = door.sign_in(Side::Staff, ann, "passkey").await.unwrap();
    let text = cookie.to_str().unwrap();
    assert!(text.contains("HttpOnly") && text.contains("SameSite=Strict"));
    let headers = with(&cookie);
    let staff = door.staff(&headers).await.unwrap().unwrap();
    assert_eq!((staff.name.as_str(), staff.role), ("ann", Role::Reviewer));
    assert!(door.customer(&headers).await.unwrap().is_none());
    let renamed = text.replace("fairhold-staff", "fairhold-customer");
    let other = with(&HeaderValue::from_str(&renamed).unwrap());
    assert!(door.customer(&other).await.unwrap().is_none());
    door.database()
        .end_person("ann", Timestamp(1))
        .await
        .unwrap();
    assert!(door.staff(&headers).await.unwrap().is_none());
}

#[tokio::test]
async fn an_unused_sign_in_ends() {
    let folder = tempfile::tempdir().unwrap();
    let door = door(folder.path()).await;
    let ann = || Whose::Person("ann".to_owned());
    let cookie = door.sign_in(Side::Staff, ann(), "passkey").await.unwrap();
    let headers = with(&cookie);
    let staff = door.staff(&headers).await.unwrap().unwrap();
    door.database()
        .sign_in_seen(&staff.digest, Timestamp(0))
        .await
        .unwrap();
    assert!(door.staff(&headers).await.unwrap().is_none());
    assert!(door.database().sign_ins_of("ann").await.unwrap().is_empty());
}

#[tokio::test]
async fn what_a_page_asks_for_by_itself_keeps_nobody_signed_in() {
    let folder = tempfile::tempdir().unwrap();
    let door = door(folder.path()).await;
    let ann = Whose::Person("ann".to_owned());
    let cookie = door.sign_in(Side::Staff, ann, "passkey").await.unwrap();
    let by_hand = with(&cookie);
    let staff = door.staff(&by_hand).await.unwrap().unwrap();
    let earlier = Timestamp(SystemClock.now().0 - 120_000);
    let seen = async || {
        let row = door.database().sign_in(&staff.digest).await.unwrap();
        row.unwrap().seen_at
    };
    let database = door.database();
    database.sign_in_seen(&staff.digest, earlier).await.unwrap();
    let mut by_itself = by_hand.clone();
    by_itself.insert("hx-request", HeaderValue::from_static("true"));
    assert!(door.staff(&by_itself).await.unwrap().is_some());
    assert_eq!(seen().await, earlier);
    assert!(door.staff(&by_hand).await.unwrap().is_some());
    assert!(seen().await > earlier);
}

#[tokio::test]
async fn an_invitation_is_used_once_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let door = door(folder.path()).await;
    let database = door.database();
    let ann = || Whose::Person("ann".to_owned());
    let token = invite(database, ann(), Timestamp(10)).await.unwrap();
    let digest = token_digest(&token);
    assert_eq!(
        database.invite(&digest, Timestamp(9)).await.unwrap(),
        Some(ann())
    );
    assert_eq!(database.invite(&digest, Timestamp(10)).await.unwrap(), None);
    assert!(database.use_invite(&digest).await.unwrap());
    assert!(!database.use_invite(&digest).await.unwrap());
    assert_eq!(database.invite(&digest, Timestamp(9)).await.unwrap(), None);
}

#[tokio::test]
async fn a_question_is_answered_once() {
    let folder = tempfile::tempdir().unwrap();
    let door = door(folder.path()).await;
    let challenge = door.challenge().unwrap();
    assert!(!door.asked(&[0; 32]));
    assert!(door.asked(&challenge));
    assert!(!door.asked(&challenge));
}

#[test]
fn an_address_tries_thirty_times_a_minute() {
    let mut limiter = Limiter::default();
    let tried = |limiter: &mut Limiter, at| limiter.may_try("a", Timestamp(at));
    assert_eq!((0..40).filter(|n| tried(&mut limiter, *n)).count(), 30);
    assert!(limiter.may_try("b", Timestamp(50)));
    assert!(tried(&mut limiter, 60_000));
}

#[test]
fn an_origin_is_https_or_this_machine() {
    let host = |text: &str| Origin::parse(text).map(|o| o.host().to_owned());
    assert_eq!(host("https://console.example").unwrap(), "console.example");
    assert_eq!(host("http://localhost:81").unwrap(), "localhost");
    for wrong in [
        "http://console.example",
        "https://a/b",
        "ftp://a",
        "https://",
        "https://a:b",
        "a",
    ] {
        assert!(host(wrong).is_err(), "{wrong}");
    }
    let here = Origin::localhost(81);
    assert!(here.is("localhost:81") && here.is("127.0.0.1:81"));
    assert!(!here.is("evil.example:81") && !here.is("localhost:82"));
}
