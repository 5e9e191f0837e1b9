//! Outlook's `winmail.dat` (MS-OXTNEF): files, and sometimes the words. Checksums are not looked at: they are wrong in
//! the wild, and whatever can be read shall be.

use encoding_rs::Encoding;

use super::charset;

/// MS-OXTNEF 2.1.3.1: what it begins with.
const SIGNATURE: u32 = 0x223e_9f78;
/// Most files that are listed of one.
const FILES: usize = 1_000;
/// Most properties of one block that are read.
const PROPERTIES: u32 = 10_000;

// Attributes: MS-OXTNEF 2.1.3.1.2.
const BODY: u32 = 0x0002_800c;
const OEM_CODE_PAGE: u32 = 0x0006_9007;
const MESSAGE_PROPERTIES: u32 = 0x0006_9003;
const FILE_BEGINS: u32 = 0x0006_9002;
const FILE_TITLE: u32 = 0x0001_8010;
const FILE_DATA: u32 = 0x0006_800f;
const FILE_PROPERTIES: u32 = 0x0006_9005;

// Properties: MS-OXPROPS.
const PLAIN_BODY: u16 = 0x1000;
const RTF_COMPRESSED: u16 = 0x1009;
const HTML_BODY: u16 = 0x1013;
const FILE_NAME: u16 = 0x3704;
const FILE_LONG_NAME: u16 = 0x3707;
const FILE_MIME: u16 = 0x370e;
const FILE_CONTENT_ID: u16 = 0x3712;
const INTERNET_CODE_PAGE: u16 = 0x3fde;

/// What lies in a `winmail.dat`.
#[derive(Debug, Default)]
pub(super) struct Tnef<'a> {
    /// Its files.
    pub(super) files: Vec<TnefFile<'a>>,
    /// Its words.
    pub(super) plain: Option<String>,
    /// Its words as HTML.
    pub(super) html: Option<String>,
    /// Its words as compressed RTF.
    pub(super) rtf: Option<&'a [u8]>,
    /// Whether all of it was understood: else the whole is a file of its own.
    pub(super) whole: bool,
}

/// A file in it.
#[derive(Debug, Default)]
pub(super) struct TnefFile<'a> {
    /// Its name, as it was written.
    pub(super) name: String,
    /// Its media type, if it names one.
    pub(super) mime: Option<String>,
    /// Its Content-ID, if it has one.
    pub(super) content_id: Option<String>,
    /// Its bytes.
    pub(super) data: Option<&'a [u8]>,
}

impl<'a> Tnef<'a> {
    /// Reads one, as far as it can be understood. `None`: it is none.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut from = Bytes(bytes);
        if from.u32()? != SIGNATURE {
            return None;
        }
        from.take(2)?;
        let mut tnef = Self::default();
        let mut page = None;
        while !from.0.is_empty() {
            let Some((id, data)) = from.attribute() else { return Some(tnef) };
            tnef.add(id, data, &mut page);
            if tnef.files.len() > FILES {
                tnef.files.truncate(FILES);
                return Some(tnef);
            }
        }
        // A file without bytes is a mail or an object: it cannot be taken out.
        tnef.whole = tnef.files.iter().all(|file| file.data.is_some());
        Some(tnef)
    }

    fn add(&mut self, id: u32, data: &'a [u8], page: &mut Option<&'static str>) {
        let text = |data: &[u8]| charset::text(until_nul(data), *page, None);
        match id {
            OEM_CODE_PAGE => *page = Bytes(data).u32().and_then(code_page),
            BODY => self.plain = Some(text(data)),
            MESSAGE_PROPERTIES => self.properties(data, *page),
            FILE_BEGINS => self.files.push(TnefFile::default()),
            FILE_TITLE | FILE_DATA | FILE_PROPERTIES => {
                if self.files.is_empty() {
                    self.files.push(TnefFile::default());
                }
                let Some(file) = self.files.last_mut() else { return };
                match id {
                    FILE_TITLE if file.name.is_empty() => file.name = text(data),
                    FILE_DATA => file.data = Some(data),
                    FILE_PROPERTIES => file.properties(data, *page),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn properties(&mut self, data: &'a [u8], page: Option<&'static str>) {
        let all = properties(data).unwrap_or_default();
        let of_html = all.iter().find(|p| p.id == INTERNET_CODE_PAGE).and_then(|p| Bytes(p.data).u32());
        let of_html = of_html.and_then(code_page);
        for property in &all {
            match property.id {
                PLAIN_BODY => self.plain = Some(property.text(page)),
                RTF_COMPRESSED => self.rtf = Some(property.data),
                HTML_BODY if property.kind == Property::BINARY => {
                    self.html = Some(charset::text(property.data, of_html.or(page), None));
                }
                HTML_BODY => self.html = Some(property.text(page)),
                _ => {}
            }
        }
    }
}

impl<'a> TnefFile<'a> {
    fn properties(&mut self, data: &'a [u8], page: Option<&'static str>) {
        let all = properties(data).unwrap_or_default();
        let text = |id: u16| all.iter().find(|p| p.id == id).map(|p| p.text(page)).filter(|t| !t.is_empty());
        if let Some(name) = text(FILE_LONG_NAME).or_else(|| text(FILE_NAME)) {
            self.name = name;
        }
        self.mime = text(FILE_MIME).map(|mime| mime.to_ascii_lowercase()).or(self.mime.take());
        self.content_id = text(FILE_CONTENT_ID).or(self.content_id.take());
    }
}

/// One property of a message or a file (MS-OXTNEF 2.1.3.4): the first value of it.
#[derive(Debug)]
struct Property<'a> {
    kind: u16,
    id: u16,
    data: &'a [u8],
}

impl Property<'_> {
    const BINARY: u16 = 0x0102;
    const UNICODE: u16 = 0x001f;

    fn text(&self, page: Option<&str>) -> String {
        if self.kind == Self::UNICODE {
            let text = encoding_rs::UTF_16LE.decode_without_bom_handling(self.data).0;
            return text.trim_end_matches('\0').to_owned();
        }
        charset::text(until_nul(self.data), page, None)
    }
}

/// The properties of a block, as far as they can be read.
fn properties(data: &[u8]) -> Option<Vec<Property<'_>>> {
    let mut from = Bytes(data);
    let count = from.u32()?.min(PROPERTIES);
    let mut found = Vec::new();
    for _ in 0..count {
        let Some(property) = from.property() else { break };
        found.push(property);
    }
    Some(found)
}

fn until_nul(data: &[u8]) -> &[u8] {
    data.split(|b| *b == 0).next().unwrap_or_default()
}

/// The name of a code page of Windows, if text of it can be read.
pub(super) fn code_page(page: u32) -> Option<&'static str> {
    let name = match page {
        65001 => "utf-8",
        20866 => "koi8-r",
        21866 => "koi8-u",
        866 => "ibm866",
        932 => "shift_jis",
        936 => "gbk",
        949 => "euc-kr",
        950 => "big5",
        50220..=50222 => "iso-2022-jp",
        28591..=28606 => {
            return Encoding::for_label(format!("iso-8859-{}", page - 28590).as_bytes()).map(Encoding::name);
        }
        874 | 1250..=1258 => {
            return Encoding::for_label(format!("windows-{page}").as_bytes()).map(Encoding::name);
        }
        _ => return None,
    };
    Some(name)
}

/// Bytes that are read from their front.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_le_bytes)
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.u32()?).ok()
    }

    /// An attribute: its level, its id, its bytes, their checksum.
    fn attribute(&mut self) -> Option<(u32, &'a [u8])> {
        self.take(1)?;
        let id = self.u32()?;
        let length = self.length()?;
        let data = self.take(length)?;
        let _checksum = self.take(2)?;
        Some((id, data))
    }

    fn property(&mut self) -> Option<Property<'a>> {
        let kind = self.u16()?;
        let id = self.u16()?;
        if id >= 0x8000 {
            self.name_of_property()?;
        }
        let several = kind & 0x1000 != 0;
        let kind = kind & 0x0fff;
        let long = matches!(kind, 0x001e | 0x001f | 0x000d | Property::BINARY);
        let count = if several || long { self.u32()?.min(PROPERTIES) } else { 1 };
        let mut first = None;
        for _ in 0..count {
            let length = match kind {
                0x0002 | 0x0003 | 0x0004 | 0x000a | 0x000b => 4,
                0x0005 | 0x0006 | 0x0007 | 0x0014 | 0x0040 => 8,
                0x0048 => 16,
                _ if long => self.length()?,
                _ => return None, // of a kind whose length nobody knows
            };
            let data = self.take(length)?;
            self.take((4 - length % 4) % 4)?;
            first.get_or_insert(data);
        }
        Some(Property { kind, id, data: first.unwrap_or_default() })
    }

    fn name_of_property(&mut self) -> Option<()> {
        self.take(16)?;
        if self.u32()? == 0 {
            self.take(4)?;
        } else {
            let length = self.length()?;
            self.take(length.checked_add((4 - length % 4) % 4)?)?;
        }
        Some(())
    }
}
