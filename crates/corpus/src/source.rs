//! The bytes of a file: counted, digested as they lie there, then unpacked.

use std::io::{self, BufReader, Read};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use crate::plan::{Packing, PlannedFile, open};

/// What is told of bytes as they are read.
pub(crate) type Ticks<'a> = &'a (dyn Fn(u64) + Sync);

/// What passed through so far.
#[derive(Debug, Default)]
struct Passed {
    hash: Sha256,
    bytes: u64,
    /// Whether the reader itself gave up, not the decoder above it.
    broken: bool,
}

/// The digest of a file that is being read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meter(Arc<Mutex<Passed>>);

impl Meter {
    fn add(&self, bytes: &[u8]) {
        let mut passed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        passed.hash.update(bytes);
        passed.bytes += bytes.len() as u64;
    }

    /// Whether the reader gave up: the file may be sound, we are not.
    pub(crate) fn broken(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).broken
    }

    /// SHA-256 of all that passed, and how many bytes that were.
    pub(crate) fn told(&self) -> (String, u64) {
        let passed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (hex::encode(passed.hash.clone().finalize()), passed.bytes)
    }
}

/// A reader that counts and digests.
pub(crate) struct Metered<'a> {
    inner: Box<dyn Read + Send>,
    meter: Meter,
    ticks: Ticks<'a>,
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let _watch = Watch(&self.meter);
        let read = self.inner.read(buffer)?;
        self.meter.add(buffer.get(..read).unwrap_or_default());
        (self.ticks)(read as u64);
        Ok(read)
    }
}

/// Notes that reading unwound.
struct Watch<'m>(&'m Meter);

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut passed = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
            passed.broken = true;
        }
    }
}

/// The unpacked bytes of a file, and the meter of the packed ones.
pub(crate) fn unpacked<'a>(
    file: &PlannedFile,
    read_bytes: usize,
    ticks: Ticks<'a>,
) -> io::Result<(Box<dyn Read + 'a>, Meter)> {
    let meter = Meter::default();
    let metered = Metered {
        inner: open(file)?,
        meter: meter.clone(),
        ticks,
    };
    let source: Box<dyn Read + 'a> = match file.packing {
        Packing::Plain => Box::new(metered),
        Packing::Zstd => {
            let packed = BufReader::with_capacity(read_bytes.max(1), metered);
            Box::new(zstd::stream::read::Decoder::with_buffer(packed)?)
        }
        Packing::Gzip => {
            let packed = BufReader::with_capacity(read_bytes.max(1), metered);
            Box::new(flate2::bufread::MultiGzDecoder::new(packed))
        }
    };
    Ok((source, meter))
}

/// Reads a file for its digest only.
#[cfg(feature = "parquet")]
pub(crate) fn digest(
    file: &PlannedFile,
    read_bytes: usize,
    ticks: Ticks<'_>,
) -> io::Result<(String, u64)> {
    let meter = Meter::default();
    let mut metered = Metered {
        inner: open(file)?,
        meter: meter.clone(),
        ticks,
    };
    let mut buffer = vec![0; read_bytes.max(1)];
    while metered.read(&mut buffer)? > 0 {}
    Ok(meter.told())
}
