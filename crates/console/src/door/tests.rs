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

fn at(ip: &str) -> Source {
    Source::address(Some(ip.parse().unwrap()))
}

#[test]
fn an_address_tries_thirty_times_a_minute_as_one_and_more_often_as_many() {
    let mut limiter = Limiter::default();
    let (here, there) = (at("192.0.2.1"), at("192.0.2.2"));
    let tries = |limiter: &mut Limiter, from: &Source, name: &str| {
        (0..400)
            .filter(|n| limiter.may_try(from, name, Timestamp(*n)))
            .count()
    };
    // 300 of one address, whatever is tried: the noisy one used them up.
    assert_eq!(tries(&mut limiter, &here, "fh_live_noisy"), 30);
    assert!(!limiter.may_try(&here, "fh_live_other", Timestamp(401)));
    assert!(limiter.may_try(&there, "fh_live_noisy", Timestamp(401)));
    let noisy = (0..100).filter(|n| limiter.may_try(&there, "fh_live_noisy", Timestamp(*n)));
    assert_eq!(noisy.count(), 29);
    assert!(limiter.may_try(&there, "fh_live_other", Timestamp(402)));
    assert!(limiter.may_try(&here, "fh_live_noisy", Timestamp(60_401)));
}

#[test]
fn counts_are_bounded_and_a_network_of_ipv6_is_one_address() {
    let mut limiter = Limiter::default();
    for n in 0..30_000_u32 {
        let from = Source::address(Some(std::net::Ipv4Addr::from(n).into()));
        limiter.may_try(&from, &"x".repeat(1_000), Timestamp(i64::from(n / 1_000)));
        assert!(limiter.kept() <= 10_000);
    }
    assert_eq!(at("2001:db8:1:2::1"), at("2001:db8:1:2:ffff::9"));
    assert_ne!(at("2001:db8:1:2::1"), at("2001:db8:1:3::1"));
    assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
}

#[tokio::test]
async fn only_a_proxy_of_ours_says_for_whom_it_asks() {
    let folder = tempfile::tempdir().unwrap();
    let plain = door(folder.path()).await;
    let mut headers = HeaderMap::new();
    headers.insert("x-forwarded-for", "203.0.113.9, 192.0.2.7".parse().unwrap());
    let by = |ip: &str| {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(ip.parse().unwrap(), 1)));
        extensions
    };
    assert_eq!(plain.from(&by("10.0.0.1"), &headers), at("10.0.0.1"));
    let behind = plain.behind(vec!["10.0.0.1".parse().unwrap()]);
    assert_eq!(behind.from(&by("10.0.0.1"), &headers), at("192.0.2.7"));
    assert_eq!(
        behind.from(&by("::ffff:10.0.0.1"), &headers),
        at("192.0.2.7")
    );
    assert_eq!(behind.from(&by("10.0.0.2"), &headers), at("10.0.0.2"));
    assert_eq!(
        behind.from(&by("10.0.0.1"), &HeaderMap::new()),
        at("10.0.0.1")
    );
    assert_eq!(
        behind.from(&Extensions::new(), &headers),
        Source::address(None)
    );
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
