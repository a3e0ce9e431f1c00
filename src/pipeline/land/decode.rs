//! From an export's bytes to its text: unpacked, without a byte order mark, in UTF-8.
//!
//! UTF-8 passes unchecked and a malformed sequence of another encoding becomes a byte that UTF-8 never has, so one bad
//! character costs its record and not the file.

use super::unpack::{Beyond, Counted, Limited};
use crate::diagnostic::{Diagnostic, Place, Result};
use crate::domain::limits::Unpacking;
use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};
use std::io::{self, Cursor, Read};

/// How many bytes are transcoded at a time.
const STEP: usize = 64 * 1024;

/// The byte that stands for what its encoding does not have; valid UTF-8 never holds it.
const MALFORMED: u8 = 0xff;

/// An export's text, read block by block.
pub struct Text<'a> {
    file_name: String,
    packed: Option<&'static str>,
    reader: Box<dyn Read + Send + 'a>,
}

impl<'a> Text<'a> {
    /// Looks at the first bytes of `source` and sets up what they call for: gzip or Zstandard by their magic bytes,
    /// then the encoding. A byte order mark outranks `encoding`, because the file knows best; without either it is
    /// UTF-8. A packed export is unpacked up to the limits of `unpacking`.
    pub fn open(
        file_name: &str,
        source: impl Read + Send + 'a,
        encoding: Option<&str>,
        unpacking: Unpacking,
    ) -> Result<Text<'a>> {
        let given = encoding.map(|label| known(file_name, label)).transpose()?.unwrap_or(UTF_8);
        let (source, taken) = Counted::new(source);
        let mut text = Text { file_name: file_name.to_owned(), packed: None, reader: Box::new(source) };
        let magic = text.peek(4)?;
        if magic.starts_with(&[0x1f, 0x8b]) {
            text.packed = Some("gzip");
            let limited = |reader| Limited::new(flate2::read::MultiGzDecoder::new(reader), taken, unpacking);
            text.wrap(|reader| Ok(Box::new(limited(reader))))?;
        } else if magic == [0x28, 0xb5, 0x2f, 0xfd] {
            text.packed = Some("Zstandard");
            let decoder = |reader| zstd::stream::read::Decoder::new(reader);
            text.wrap(|reader| Ok(Box::new(Limited::new(decoder(reader)?, taken, unpacking))))?;
        }
        let encoding = Encoding::for_bom(&text.peek(3)?).map_or(given, |(encoding, _)| encoding);
        if encoding == UTF_8 {
            text.skip_mark()?;
        } else {
            text.wrap(|reader| Ok(Box::new(Transcoder::new(reader, encoding))))?;
        }
        Ok(text)
    }

    /// The next bytes of the text, `size` of them unless the text ends before; empty at its end.
    pub fn block(&mut self, size: usize) -> Result<Vec<u8>> {
        let mut block = Vec::with_capacity(size);
        match self.reader.by_ref().take(size as u64).read_to_end(&mut block) {
            Ok(_) => Ok(block),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// The next bytes, which stay to be read.
    fn peek(&mut self, size: usize) -> Result<Vec<u8>> {
        let head = self.block(size)?;
        let seen = Cursor::new(head.clone());
        self.wrap(|reader| Ok(Box::new(seen.chain(reader))))?;
        Ok(head)
    }

    /// Passes over the byte order mark of UTF-8.
    fn skip_mark(&mut self) -> Result<()> {
        if self.peek(3)? == [0xef, 0xbb, 0xbf] {
            self.block(3)?;
        }
        Ok(())
    }

    fn wrap<F>(&mut self, around: F) -> Result<()>
    where
        F: FnOnce(Box<dyn Read + Send + 'a>) -> io::Result<Box<dyn Read + Send + 'a>>,
    {
        let reader = std::mem::replace(&mut self.reader, Box::new(io::empty()));
        self.reader = around(reader).map_err(|error| self.failed(&error))?;
        Ok(())
    }

    fn failed(&self, error: &io::Error) -> Box<Diagnostic> {
        let place = Place::file(&self.file_name);
        if let Some(beyond) = error.get_ref().and_then(|inner| inner.downcast_ref::<Beyond>()) {
            return beyond.told().at(place);
        }
        match self.packed {
            Some(packed) => Diagnostic::data(format!("the {packed} data of this export are damaged"))
                .at(place)
                .note(error.to_string())
                .help("export the file again, or copy it again if it was still being written"),
            None => Diagnostic::internal("cannot read the export").at(place).note(error.to_string()),
        }
    }
}

/// The encoding of this name.
fn known(file_name: &str, label: &str) -> Result<&'static Encoding> {
    Encoding::for_label_no_replacement(label.as_bytes()).ok_or_else(|| {
        Diagnostic::project(format!("unknown encoding `{label}`"))
            .at(Place::file(file_name))
            .help("use a name such as `utf-8`, `windows-1252`, `iso-8859-15` or `utf-16le`")
    })
}

/// Reads another encoding as UTF-8.
struct Transcoder<R> {
    source: R,
    decoder: Decoder,
    input: Vec<u8>,
    taken: usize,
    source_ended: bool,
    output: Vec<u8>,
    given: usize,
    made: usize,
    finished: bool,
}

impl<R: Read> Transcoder<R> {
    fn new(source: R, encoding: &'static Encoding) -> Transcoder<R> {
        Transcoder {
            source,
            decoder: encoding.new_decoder_with_bom_removal(),
            input: Vec::with_capacity(STEP),
            taken: 0,
            source_ended: false,
            output: vec![0; 4 * STEP],
            given: 0,
            made: 0,
            finished: false,
        }
    }

    /// Decodes the next piece into the emptied output, which may stay empty.
    fn step(&mut self) -> io::Result<()> {
        if self.taken == self.input.len() && !self.source_ended {
            self.input.clear();
            self.taken = 0;
            let read = self.source.by_ref().take(STEP as u64).read_to_end(&mut self.input)?;
            self.source_ended = read < STEP;
        }
        (self.given, self.made) = (0, 0);
        // The output's last byte stays free for a malformed sequence's mark.
        let room = self.output.len() - 1;
        loop {
            let (input, output) = (&self.input[self.taken..], &mut self.output[self.made..room]);
            let (result, read, made) =
                self.decoder.decode_to_utf8_without_replacement(input, output, self.source_ended);
            self.taken += read;
            self.made += made;
            match result {
                DecoderResult::Malformed(..) => {
                    self.output[self.made] = MALFORMED;
                    self.made += 1;
                }
                DecoderResult::InputEmpty => {
                    self.finished = self.source_ended;
                    return Ok(());
                }
                DecoderResult::OutputFull => return Ok(()),
            }
            if self.made > room {
                return Ok(());
            }
        }
    }
}

impl<R: Read> Read for Transcoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.made && !self.finished {
            self.step()?;
        }
        let size = buffer.len().min(self.made - self.given);
        buffer[..size].copy_from_slice(&self.output[self.given..self.given + size]);
        self.given += size;
        Ok(size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(bytes: &[u8], encoding: Option<&str>) -> Result<Vec<u8>> {
        Text::open("a.csv", bytes, encoding, Unpacking::default())?.block(1 << 20)
    }

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn marks_and_names_choose_the_encoding() {
        assert_eq!(read("\u{feff}é".as_bytes(), None).unwrap(), "é".as_bytes());
        assert_eq!(read("\u{feff}é".as_bytes(), Some("windows-1252")).unwrap(), "é".as_bytes());
        assert_eq!(read(&utf16("\u{feff}é€", u16::to_le_bytes), None).unwrap(), "é€".as_bytes());
        assert_eq!(read(&utf16("\u{feff}é€", u16::to_be_bytes), None).unwrap(), "é€".as_bytes());
        assert_eq!(read(&utf16("é€", u16::to_le_bytes), Some("utf-16le")).unwrap(), "é€".as_bytes());
        assert_eq!(read(b"\xe9\x80", Some("windows-1252")).unwrap(), "é€".as_bytes());
        assert_eq!(read(b"\xe9", None).unwrap(), b"\xe9");
        assert_eq!(read(b"", None).unwrap(), b"");
        assert!(read(b"a", Some("klingon")).unwrap_err().message.contains("klingon"));
    }

    #[test]
    fn a_long_text_is_transcoded_in_steps() {
        let text = "aé€𝄞".repeat(40_000);
        assert_eq!(read(&utf16(&text, u16::to_le_bytes), Some("utf-16le")).unwrap(), text.as_bytes());
    }

    #[test]
    fn what_an_encoding_does_not_have_is_marked() {
        let mut bytes = utf16("\u{feff}a", u16::to_le_bytes);
        bytes.extend([0x00, 0xdc]);
        bytes.extend(utf16("b", u16::to_le_bytes));
        bytes.push(0x20);
        assert_eq!(read(&bytes, None).unwrap(), b"a\xffb\xff");
    }

    #[test]
    fn packed_files_are_unpacked_and_damage_is_named() {
        let text = "Ünïcode,".repeat(200);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(text.as_bytes()).unwrap();
        for packed in [gzip.finish().unwrap(), zstd::encode_all(text.as_bytes(), 3).unwrap()] {
            assert_eq!(read(&packed, None).unwrap(), text.as_bytes());
            assert_eq!(read(&packed.repeat(2), None).unwrap(), text.repeat(2).as_bytes());
            for length in 4..packed.len() {
                let error = read(&packed[..length], None).unwrap_err();
                assert_eq!(error.kind, crate::diagnostic::Kind::Data, "{length} bytes of {}", packed.len());
                assert!(error.to_string().contains("a.csv"));
            }
        }
    }
}
