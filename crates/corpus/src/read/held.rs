//! A file that is read from any place on, wherever it lies.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use parquet::file::reader::{ChunkReader, Length};

use crate::plan::PlannedFile;
#[cfg(feature = "object-store")]
use crate::remote::Remote;

/// One of both.
pub(crate) enum Held {
    /// On this machine.
    File(File),
    /// In object storage.
    #[cfg(feature = "object-store")]
    Remote(Remote),
}

impl Held {
    /// Opens it.
    pub(crate) fn open(file: &PlannedFile) -> io::Result<Self> {
        #[cfg(feature = "object-store")]
        if crate::plan::is_url(&file.path) {
            let url = file.path.to_str().unwrap_or_default();
            return Ok(Self::Remote(Remote::open(url)?));
        }
        Ok(Self::File(File::open(&file.path)?))
    }
}

impl Read for Held {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            #[cfg(feature = "object-store")]
            Self::Remote(remote) => remote.read(buffer),
        }
    }
}

impl Seek for Held {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::File(file) => file.seek(to),
            #[cfg(feature = "object-store")]
            Self::Remote(remote) => remote.seek(to),
        }
    }
}

impl Length for Held {
    fn len(&self) -> u64 {
        match self {
            Self::File(file) => Length::len(file),
            #[cfg(feature = "object-store")]
            Self::Remote(remote) => remote.len(),
        }
    }
}

impl ChunkReader for Held {
    type T = Box<dyn Read + Send>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        match self {
            Self::File(file) => {
                let mut file = file.try_clone()?;
                file.seek(SeekFrom::Start(start))?;
                Ok(Box::new(BufReader::new(file)))
            }
            #[cfg(feature = "object-store")]
            Self::Remote(remote) => Ok(Box::new(remote.from(start))),
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<bytes::Bytes> {
        match self {
            Self::File(file) => file.get_bytes(start, length),
            #[cfg(feature = "object-store")]
            Self::Remote(remote) => Ok(remote.range(start, length as u64)?),
        }
    }
}
