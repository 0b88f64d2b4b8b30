//! Files in object storage, by URL: `s3://`, `gs://`, `az://`, `http(s)://`, `file://`.
//!
//! An object is read by ranges, the next one while this one is worked on, and only for as long as
//! it is the version that was planned. Credentials come from the environment, as the clouds' own
//! tools read them.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore, parse_url_opts};
use tokio::runtime::Runtime;
use url::Url;

/// Bytes that are asked for at once.
const RANGE: u64 = 4 << 20;

/// An object as it was found.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// Its URL.
    pub(crate) url: String,
    /// Its size, and when it was changed (nanoseconds).
    pub(crate) stamp: (u64, u128),
}

type Store = Arc<dyn ObjectStore>;

fn place(url: &str) -> io::Result<(Store, Path, Url)> {
    let url = Url::parse(url).map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))?;
    let environment = std::env::vars_os().filter_map(|(key, value)| {
        let key = key.into_string().ok()?.to_ascii_lowercase();
        Some((key, value.into_string().ok()?))
    });
    // Whoever writes `http:` means it.
    let plain = (url.scheme() == "http").then(|| ("allow_http".to_owned(), "true".to_owned()));
    let (store, path) = parse_url_opts(&url, environment.chain(plain))?;
    Ok((store.into(), path, url))
}

/// The object at a URL; with a `/` at its end every object below it.
pub(crate) fn found(url: &str) -> io::Result<Vec<Found>> {
    let (store, path, at) = place(url)?;
    if !url.ends_with('/') {
        let meta = wait(async move { store.head(&path).await })?;
        return Ok(vec![of(&meta, url.to_owned())]);
    }
    let listed = wait(async move { store.list(Some(&path)).try_collect::<Vec<_>>().await })?;
    let mut found: Vec<Found> = listed
        .iter()
        .map(|meta| {
            let mut url = at.clone();
            url.set_path(meta.location.as_ref());
            of(meta, url.to_string())
        })
        .collect();
    found.sort_by(|a, b| a.url.cmp(&b.url));
    Ok(found)
}

fn of(meta: &ObjectMeta, url: String) -> Found {
    let changed = meta.last_modified.timestamp_nanos_opt().unwrap_or(0);
    Found {
        url,
        stamp: (meta.size, u128::try_from(changed).unwrap_or(0)),
    }
}

/// An object that is being read.
pub(crate) struct Remote {
    store: Store,
    path: Path,
    size: u64,
    /// The version that is read; without one, whatever is there.
    version: Option<String>,
    at: u64,
    held: Bytes,
    /// Where a range was asked for, and where it will come. Nobody waits for the lock: readers of Parquet
    /// are shared, and a channel's end is not.
    next: Option<(u64, Mutex<Coming>)>,
}

type Coming = Receiver<Result<Bytes, object_store::Error>>;

impl Remote {
    /// Opens it.
    pub(crate) fn open(url: &str) -> io::Result<Self> {
        let (store, path, _) = place(url)?;
        let (asked, of) = (Arc::clone(&store), path.clone());
        let meta = wait(async move { asked.head(&of).await })?;
        Ok(Self {
            store,
            path,
            size: meta.size,
            // A weak tag is none that a range may be asked under.
            version: meta.e_tag.filter(|tag| !tag.starts_with("W/")),
            at: 0,
            held: Bytes::new(),
            next: None,
        })
    }

    /// Its size.
    pub(crate) fn len(&self) -> u64 {
        self.size
    }

    /// The same object, from elsewhere on.
    pub(crate) fn from(&self, at: u64) -> Self {
        Self {
            store: Arc::clone(&self.store),
            path: self.path.clone(),
            size: self.size,
            version: self.version.clone(),
            at,
            held: Bytes::new(),
            next: None,
        }
    }

    fn ask(&self, from: u64, length: u64) -> io::Result<Coming> {
        let options = GetOptions {
            range: Some(GetRange::Bounded(
                from..from.saturating_add(length).min(self.size),
            )),
            if_match: self.version.clone(),
            ..GetOptions::default()
        };
        let (store, path) = (Arc::clone(&self.store), self.path.clone());
        begin(async move { store.get_opts(&path, options).await?.bytes().await })
    }

    /// Some bytes, wherever they are.
    pub(crate) fn range(&self, from: u64, length: u64) -> io::Result<Bytes> {
        let bytes = come(&self.ask(from, length)?)?;
        if bytes.len() as u64 == length {
            Ok(bytes)
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }
}

impl Read for Remote {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.held.is_empty() && self.at < self.size && !buffer.is_empty() {
            let coming = match self.next.take() {
                Some((from, coming)) if from == self.at => {
                    coming.into_inner().unwrap_or_else(PoisonError::into_inner)
                }
                _ => self.ask(self.at, RANGE)?,
            };
            self.held = come(&coming)?;
            let expected = RANGE.min(self.size - self.at);
            if self.held.len() as u64 != expected {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let behind = self.at + expected;
            if behind < self.size {
                self.next = Some((behind, Mutex::new(self.ask(behind, RANGE)?)));
            }
        }
        let count = self.held.len().min(buffer.len());
        let part = self.held.split_to(count);
        if let Some(to) = buffer.get_mut(..count) {
            to.copy_from_slice(&part);
        }
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Remote {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = to.ok_or(io::ErrorKind::InvalidInput)?;
        self.held = Bytes::new();
        Ok(self.at)
    }
}

/// Starts something on a runtime of our own: whoever reads may stand inside another one.
fn begin<T: Send + 'static>(
    asked: impl Future<Output = Result<T, object_store::Error>> + Send + 'static,
) -> io::Result<Receiver<Result<T, object_store::Error>>> {
    static RUNTIME: OnceLock<io::Result<Runtime>> = OnceLock::new();
    let made = RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2).enable_all().build()
    });
    let runtime = made
        .as_ref()
        .map_err(|e| io::Error::new(e.kind(), e.to_string()))?;
    let (tell, told) = sync_channel(1);
    runtime.spawn(async move {
        // Whoever asked may have left.
        let _ = tell.send(asked.await);
    });
    Ok(told)
}

fn come<T>(coming: &Receiver<Result<T, object_store::Error>>) -> io::Result<T> {
    let come = coming
        .recv()
        // Not `Interrupted`: whoever reads would ask again, and for ever.
        .map_err(|_| io::Error::other("the storage's client gave up"));
    Ok(come??)
}

fn wait<T: Send + 'static>(
    asked: impl Future<Output = Result<T, object_store::Error>> + Send + 'static,
) -> io::Result<T> {
    come(&begin(asked)?)
}

#[cfg(test)]
mod tests;
