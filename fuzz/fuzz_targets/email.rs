//! Mails as they come: whatever the bytes are, a mail is read, and every file it lists comes out as it was listed.

#![no_main]

use libfuzzer_sys::fuzz_target;
use omni_email::parse::{Limits, extract, read};

fuzz_target!(|raw: &[u8]| {
    let mail = read(raw, &Limits::default());
    assert_eq!(mail.body.visible.trim().is_empty(), mail.body.text.trim().is_empty(), "words are not shown");
    for file in &mail.files {
        assert!(!file.name.is_empty(), "a file without a name");
        let (mime, bytes) = extract(raw, &file.part).expect("a file that is listed comes out");
        assert_eq!(u64::try_from(bytes.len()).ok(), Some(file.size));
        assert_eq!(mime, file.mime);
    }
});
