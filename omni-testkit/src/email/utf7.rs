//! Names of folders as they travel: modified UTF-7 (RFC 3501, 5.1.3).

use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::{GeneralPurpose, general_purpose::NO_PAD};

const BASE64: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);

/// As it travels.
pub(super) fn encode(name: &str) -> String {
    let mut out = String::new();
    let mut odd: Vec<u16> = Vec::new();
    for c in name.chars() {
        if matches!(c, ' '..='~') {
            flush(&mut out, &mut odd);
            out.push(c);
            if c == '&' {
                out.push('-');
            }
        } else {
            odd.extend_from_slice(c.encode_utf16(&mut [0; 2]));
        }
    }
    flush(&mut out, &mut odd);
    out
}

fn flush(out: &mut String, odd: &mut Vec<u16>) {
    if !odd.is_empty() {
        let bytes: Vec<u8> = odd.drain(..).flat_map(u16::to_be_bytes).collect();
        out.push('&');
        out.push_str(&BASE64.encode(bytes));
        out.push('-');
    }
}

/// As it is read; `None` when no client may write it so.
pub(super) fn decode(name: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = name;
    while let Some((plain, shifted)) = rest.split_once('&') {
        out.push_str(plain);
        let (code, after) = shifted.split_once('-')?;
        if code.is_empty() {
            out.push('&');
        } else {
            let bytes = BASE64.decode(code).ok()?;
            let (units, []) = bytes.as_chunks::<2>() else { return None };
            let units = units.iter().map(|pair| u16::from_be_bytes(*pair));
            out.push_str(&char::decode_utf16(units).collect::<Result<String, _>>().ok()?);
        }
        rest = after;
    }
    out.push_str(rest);
    // What has a shorter form may not be written in a longer one, so there is one name for a folder.
    (encode(&out) == name).then_some(out)
}
