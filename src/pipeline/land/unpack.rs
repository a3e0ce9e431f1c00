//! How far a packed export is unpacked. A few kilobytes can unpack to more than a disk holds, by mistake or on purpose: what goes
//! beyond a limit is an error as soon as it does, and never in memory.

use crate::diagnostic::Diagnostic;
use crate::domain::limits::Unpacking;
use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Up to here a packed export is unpacked, whatever its ratio: a small table may well repeat itself.
const ALWAYS_BYTES: u64 = 64 << 20;

/// Counts what is taken of a source.
pub(super) struct Counted<R> {
    source: R,
    taken: Arc<AtomicU64>,
}

impl<R: Read> Counted<R> {
    pub(super) fn new(source: R) -> (Counted<R>, Arc<AtomicU64>) {
        let taken = Arc::new(AtomicU64::new(0));
        (Counted { source, taken: taken.clone() }, taken)
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.taken.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Gives what a decoder unpacks, up to the limits.
pub(super) struct Limited<R> {
    decoder: R,
    /// The packed bytes so far.
    taken: Arc<AtomicU64>,
    given: u64,
    limits: Unpacking,
}

impl<R: Read> Limited<R> {
    pub(super) fn new(decoder: R, taken: Arc<AtomicU64>, limits: Unpacking) -> Limited<R> {
        Limited { decoder, taken, given: 0, limits }
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.decoder.read(buffer)?;
        self.given += count as u64;
        let taken = self.taken.load(Ordering::Relaxed);
        let Unpacking { most_bytes, most_ratio } = self.limits;
        if self.given > most_bytes {
            return Err(io::Error::other(Beyond::Bytes { taken, most_bytes }));
        }
        if self.given > ALWAYS_BYTES && self.given / most_ratio.max(1) > taken {
            return Err(io::Error::other(Beyond::Ratio { taken, given: self.given, most_ratio }));
        }
        Ok(count)
    }
}

/// A packed export that goes beyond a limit.
#[derive(Debug)]
pub(super) enum Beyond {
    Bytes { taken: u64, most_bytes: u64 },
    Ratio { taken: u64, given: u64, most_ratio: u64 },
}

impl Beyond {
    /// The error for people.
    pub(super) fn told(&self) -> Box<Diagnostic> {
        let mib = |bytes: u64| bytes >> 20;
        match *self {
            Beyond::Bytes { taken, most_bytes } => {
                Diagnostic::data(format!("this packed export unpacks to more than {} MiB", mib(most_bytes)))
                    .note(format!("{taken} packed bytes were read until then"))
                    .help("if it is meant to be so large, raise `unpacked_mib` under [land] in scorebook.toml")
            }
            Beyond::Ratio { taken, given, most_ratio } => Diagnostic::data(format!(
                "this packed export unpacks to more than {most_ratio} times its size"
            ))
            .note(format!("the first {taken} packed bytes gave {} MiB and more", mib(given)))
            .note("so does a file that was made to fill memory or a disk; text seldom packs to a fiftieth")
            .help(
                "if it is sound, raise `unpacked_ratio` under [land] in scorebook.toml, or have it exported unpacked",
            ),
        }
    }
}

impl fmt::Display for Beyond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the packed data go beyond a limit")
    }
}

impl std::error::Error for Beyond {}

#[cfg(test)]
mod tests {
    use super::super::decode::Text;
    use super::*;
    use crate::diagnostic::Kind;
    use std::io::Write;

    /// Both packings of as many blanks, made without having them all.
    fn bombs(mib: usize) -> [Vec<u8>; 2] {
        let block = vec![b' '; 1 << 20];
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        let mut zstd = zstd::Encoder::new(Vec::new(), 3).unwrap();
        for _ in 0..mib {
            gzip.write_all(&block).unwrap();
            zstd.write_all(&block).unwrap();
        }
        [gzip.finish().unwrap(), zstd.finish().unwrap()]
    }

    /// Reads all, and says how many bytes came.
    fn read(packed: &[u8], limits: Unpacking) -> Result<usize, Box<Diagnostic>> {
        let mut text = Text::open("a.csv", packed, None, limits)?;
        let mut count = 0;
        loop {
            match text.block(1 << 20)?.len() {
                0 => return Ok(count),
                more => count += more,
            }
        }
    }

    #[test]
    fn what_unpacks_beyond_a_limit_is_an_error_that_names_the_setting() {
        for packed in bombs(80) {
            let error = read(&packed, Unpacking::default()).unwrap_err();
            assert_eq!(error.kind, Kind::Data);
            let text = error.to_string();
            assert!(text.contains("a.csv") && text.contains("`unpacked_ratio` under [land]"), "{text}");
            let wide = Unpacking { most_ratio: 1 << 40, ..Unpacking::default() };
            assert_eq!(read(&packed, wide).unwrap(), 80 << 20);
            let text = read(&packed, Unpacking { most_bytes: 1 << 20, ..wide }).unwrap_err().to_string();
            assert!(text.contains("more than 1 MiB") && text.contains("`unpacked_mib`"), "{text}");
        }
        // A small table may repeat itself as it likes.
        for packed in bombs(60) {
            assert_eq!(read(&packed, Unpacking::default()).unwrap(), 60 << 20);
        }
    }
}
