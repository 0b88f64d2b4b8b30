use super::*;

#[test]
fn statistics_are_read_behind_any_name() {
    let stat = "7 (a ) (b) S 1 7 7 0 -1 4194560 1 0 0 0 31 11 0 0 20 0 1 0 5 6 7";
    assert_eq!(cpu_ticks(stat), Some(42));
    assert_eq!(cpu_ticks("nonsense"), None);
    assert_eq!(parent_of(stat), Some(1));
    assert_eq!(parent_of("nonsense"), None);
    assert_eq!(resident_kb("Name:\tx\nVmRSS:\t  2048 kB\n"), Some(2048));
    assert_eq!(resident_kb("Name:\tx\n"), None);
}

#[tokio::test]
async fn what_a_server_has_started_is_measured_apart() {
    let busy = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";
    let script = format!("({busy}; echo done; sleep 5) & wait");
    let arguments = ["-c", script.as_str()];
    let server = Server::start(Path::new("/bin/sh"), &arguments)
        .await
        .unwrap();
    let children = server.children_cpu_us().unwrap();
    assert_eq!(children.len(), 1);
    assert!(children.into_values().all(|cpu_us| cpu_us > 0));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_is_greeted_measured_and_stopped() {
    let shell = Path::new("/bin/sh");
    let server = Server::start(shell, &["-c", "echo listening; sleep 60"])
        .await
        .unwrap();
    assert_eq!(server.greeting, "listening");
    assert!(server.rss_mb().unwrap() > 0.0);
    server.cpu_us().unwrap();
    server.stop().await.unwrap();
    assert!(Server::start(shell, &["-c", "exit 3"]).await.is_err());
}
