//! Difficult mails, and what is read of them.
//!
//! The mails are in `corpus/*.eml`, what each says in `corpus/*.json`; `UPDATE_GOLDEN=1` writes these anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mail_parser::DateTime;
use omni_core::Timestamp;
use omni_email::mail::{File, Mail, Mailbox, PartPath};
use omni_email::parse::{Limits, LoadedText, extract, read, reduced};
use omni_testkit::golden;
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, proptest};
use proptest::sample::Index;
use serde_json::{Map, Value, json};

/// A mail of the corpus.
struct Case {
    name: String,
    raw: Vec<u8>,
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

fn corpus() -> Vec<Case> {
    let files = fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().path());
    let one = |path: PathBuf| Case {
        name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
        raw: fs::read(path).unwrap(),
    };
    let mut all: Vec<Case> =
        files.filter(|path| path.extension().is_some_and(|end| end == "eml")).map(one).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

fn default(raw: &[u8]) -> Mail {
    read(raw, &Limits::default())
}

fn with_lf(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    for line in raw.split_inclusive(|b| *b == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(line) => out.extend([line, b"\n"].concat()),
            None => out.extend(line),
        }
    }
    out
}

/// As servers give it.
fn with_crlf(raw: &[u8]) -> Vec<u8> {
    let lines = with_lf(raw);
    lines
        .iter()
        .flat_map(|b| if *b == b'\n' { b"\r\n".as_slice() } else { std::slice::from_ref(b) })
        .copied()
        .collect()
}

/// What is seen of a mail. What is empty is left out.
fn view(mail: &Mail) -> Value {
    let mailboxes = |all: &[Mailbox]| -> Value { all.iter().map(mailbox).collect() };
    let body = &mail.body;
    let visible = (body.visible != body.text).then_some(&body.visible);
    let date = |at: Timestamp| DateTime::from_timestamp(at.as_millis().div_euclid(1000)).to_rfc3339();
    let fields = [
        ("from", mailboxes(&mail.from)),
        ("reply_to", mailboxes(&mail.reply_to)),
        ("to", mailboxes(&mail.to)),
        ("cc", mailboxes(&mail.cc)),
        ("subject", json!(mail.subject)),
        ("date", json!(mail.date.map(date))),
        ("message_id", json!(mail.message_id)),
        ("in_reply_to", json!(mail.in_reply_to)),
        ("references", json!(mail.references)),
        ("text", json!(body.text)),
        ("html", json!(body.html)),
        ("visible", json!(visible)),
        ("quoted", json!(body.quoted)),
        ("signature", json!(body.signature)),
        ("files", mail.files.iter().map(file).collect()),
        ("report", json!(mail.report.as_ref().map(|report| format!("{report:?}")))),
        ("automatic", json!(mail.automatic.map(|why| format!("{why:?}")))),
        ("cut", json!(mail.cut)),
    ];
    let is_told = |value: &Value| !(value.is_null() || *value == json!("") || *value == json!([]));
    fields
        .into_iter()
        .filter(|(_, value)| is_told(value))
        .map(|(name, value)| (name.to_owned(), value))
        .collect::<Map<_, _>>()
        .into()
}

fn mailbox(mailbox: &Mailbox) -> Value {
    match &mailbox.name {
        Some(name) => json!(format!("{name} <{}>", mailbox.address)),
        None => json!(format!("<{}>", mailbox.address)),
    }
}

fn file(file: &File) -> Value {
    let File { part: PartPath(part), name, mime, size, shown_as, decoration } = file;
    json!({ "part": part, "name": name, "mime": mime, "size": size, "shown_as": shown_as, "decoration": decoration })
}

#[test]
fn every_mail_says_what_a_person_reads_in_it() {
    let corpus = corpus();
    assert!(corpus.len() >= 60, "{} mails", corpus.len());
    for Case { name, raw } in &corpus {
        let found = serde_json::to_string_pretty(&view(&default(&with_crlf(raw)))).unwrap() + "\n";
        golden::check(directory().join(format!("{name}.json")), &found);
    }
    for path in fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().path()) {
        let is_expected = path.extension().is_some_and(|end| end == "json");
        assert!(!is_expected || path.with_extension("eml").exists(), "{} has no mail", path.display());
    }
}

#[test]
fn line_ends_change_nothing_but_the_size_of_texts() {
    for Case { name, raw } in corpus() {
        let wire = with_crlf(&raw);
        let wanted = default(&wire);
        for other in [&raw, &with_lf(&raw)] {
            let mut found = default(other);
            assert_eq!(found.key, wanted.key, "{name}");
            assert_eq!(found.files.len(), wanted.files.len(), "{name}");
            for (file, of_wire) in found.files.iter_mut().zip(&wanted.files) {
                let (_, bytes) = extract(other, &file.part).unwrap();
                let (_, wire_bytes) = extract(&wire, &of_wire.part).unwrap();
                assert_eq!(with_lf(&bytes), with_lf(&wire_bytes), "{name}");
                file.size = of_wire.size;
            }
            assert_eq!(view(&found), view(&wanted), "{name}");
        }
    }
}

#[test]
fn every_file_of_the_list_can_be_taken_out() {
    for Case { name, raw } in corpus() {
        listed_files_come_out(&raw, &default(&raw)).unwrap_or_else(|error| panic!("{name}: {error}"));
        for nowhere in ["", "0", "99", "1.99", "x", "1!99", "1!x", "!", "-1", "1.", "4294967296"] {
            assert!(extract(&raw, &PartPath(nowhere.into())).is_none(), "{name}: {nowhere:?}");
        }
    }
}

fn listed_files_come_out(raw: &[u8], mail: &Mail) -> Result<(), String> {
    for file in &mail.files {
        let (mime, bytes) = extract(raw, &file.part).ok_or_else(|| format!("{file:?} does not come out"))?;
        if u64::try_from(bytes.len()).ok() != Some(file.size) || mime != file.mime {
            return Err(format!("{file:?} comes out as {} bytes of {mime}", bytes.len()));
        }
    }
    Ok(())
}

#[test]
fn files_come_out_as_they_went_in() {
    let raw = fs::read(directory().join("winmail_files.eml")).unwrap();
    let files: Vec<_> = default(&raw).files.iter().map(|file| extract(&raw, &file.part).unwrap()).collect();
    assert!(
        files
            .iter()
            .any(|(mime, bytes)| mime == "application/pdf" && bytes.starts_with(b"%PDF-1.4\n1 0 obj"))
    );
    let raw = fs::read(directory().join("tree_mail_within.eml")).unwrap();
    let (mime, bytes) = extract(&raw, &default(&raw).files[0].part).unwrap();
    let within = default(&bytes);
    assert_eq!((mime.as_str(), within.subject.as_str()), ("message/rfc822", "Счёт на оплату"));
    assert_eq!(
        (within.body.text.as_str(), within.files[0].name.as_str()),
        ("his words, not hers", "inner.pdf")
    );
}

#[test]
fn the_key_is_of_the_id_and_the_body() {
    let mail = |id: &str, extra: &str, body: &str| {
        default(format!("{extra}Message-ID: <{id}>\nFrom: a@client.example\n\n{body}").as_bytes()).key
    };
    let first = mail("1@x", "", "Привет");
    assert_eq!(
        mail("1@x", "Received: from another\nX-Folder: Archive\n", "Привет"),
        first,
        "a relay adds headers"
    );
    assert_ne!(mail("1@x", "", "Привет!"), first, "the same id, another body");
    assert_ne!(mail("2@x", "", "Привет"), first, "another id, the same body");
    let nameless = |subject: &str| default(format!("Subject: {subject}\n\nПривет").as_bytes()).key;
    assert_ne!(nameless("один"), nameless("два"), "without an id the headers count");
    assert_eq!(nameless("один"), nameless("один"));
    let mut keys: Vec<_> = corpus().iter().map(|case| default(&case.raw).key).collect();
    let count = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), count, "two mails of the corpus have one key");
}

#[test]
fn what_is_beyond_a_limit_is_told() {
    let part = "--a\nContent-Type: image/png; name=x.png\n\nx\n";
    let raw = format!("Content-Type: multipart/mixed; boundary=a\n\n{}--a--\n", part.repeat(5));
    let mail = read(raw.as_bytes(), &Limits { parts: 3, ..Limits::default() });
    assert_eq!((mail.files.len(), mail.cut.len()), (3, 1));
    assert!(mail.cut[0].starts_with("2 of its parts"), "{:?}", mail.cut);

    let raw = format!("Subject: {}\n\n{}", "щ".repeat(100), "слово ".repeat(100));
    let mail = read(raw.as_bytes(), &Limits { header: 41, words: 120, ..Limits::default() });
    assert!(mail.subject.chars().count() <= 41 && mail.body.text.len() <= 120 + 2);
    assert_eq!(mail.cut.len(), 2, "{:?}", mail.cut);

    let mail = read(nested(8).as_bytes(), &Limits { depth: 3, ..Limits::default() });
    assert_eq!(mail.cut.len(), 1, "{:?}", mail.cut);
    listed_files_come_out(nested(8).as_bytes(), &mail).unwrap();
}

fn nested(depth: usize) -> String {
    let mut raw = String::new();
    for level in 0..depth {
        raw.push_str(&format!("Content-Type: multipart/mixed; boundary=\"b{level}\"\n\n--b{level}\n"));
    }
    raw + "\nна дне\n"
}

fn one(header: &str, body: String) -> Vec<u8> {
    format!("From: a@client.example\n{header}\n\n{body}").into_bytes()
}

/// Mails that are made to cost more than they weigh: each of a million bytes or less.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    const SIZE: usize = 1 << 20;
    let many = |piece: &str| piece.repeat(SIZE / piece.len());
    let mixed = |body: String| one("Content-Type: multipart/mixed; boundary=a", body);
    // HTML has tests of its own: here only what all of it together costs.
    let html = |mut body: String| {
        body.truncate(1 << 16);
        one("Content-Type: text/html; charset=utf-8", body)
    };
    let header = |name: &str, value: String| one(&format!("{name}: {value}"), "x".into());
    let places = "<img src=\"aaa\">".repeat(4_000);
    let long = "x".repeat(60_000);
    let located = format!(
        "--a\nContent-Type: text/html\n\n{places}\n--a\nContent-Type: image/png\nContent-ID: <{long}>\nContent-Location: aaa\n\nx\n--a--\n"
    );
    let flowed = "Content-Type: text/plain; format=flowed";
    vec![
        ("nested multiparts", nested(20_000).into_bytes()),
        ("mails within mails", many("Content-Type: message/rfc822\n\n").into_bytes()),
        ("empty parts", mixed(many("--a\n"))),
        ("parts with a file", mixed(many("--a\nContent-Type: image/png; name=a.png\n\nx\n"))),
        ("parts that name no boundary", mixed(many("--a\nContent-Type: multipart/mixed\n\n--b\n"))),
        ("short headers", many("a:\n").into_bytes()),
        ("short headers of a part", mixed(format!("--a\n{}", many("a:\n")))),
        ("one header", header("Subject", many("щ"))),
        ("begins of words", header("Subject", many("=? ") + "?=")),
        ("words in pieces", header("Subject", many("=?utf-8?Q?a?=\u{448}"))),
        ("headers of begun words", many(&format!("X: {} ?=\n", "=?a".repeat(20_000))).into_bytes()),
        ("recipients", header("To", many("a@b,"))),
        ("groups", header("To", many("a:b@c;"))),
        ("begun comments", header("To", many("("))),
        ("begun quotes", header("From", many("\"<"))),
        ("ids", header("References", many("<a@b>"))),
        ("parameters", one(&format!("Content-Type: text/plain{}", many(";a=")), "x".into())),
        (
            "parameters of a part",
            mixed(format!("--a\nContent-Disposition: attachment{}\n\nx", many(";filename*1="))),
        ),
        ("base64 of nothing", one("Content-Transfer-Encoding: base64", many("=!"))),
        ("codes", one("Content-Transfer-Encoding: quoted-printable", many("=\n"))),
        ("one line", one("Content-Type: text/plain", many("щ"))),
        ("short lines", one("Content-Type: text/plain", many("a\n"))),
        ("quotes", one(flowed, many("> \n"))),
        ("deep quotes", one(flowed, many(">"))),
        ("nested HTML", html(many("<div>"))),
        ("attributes", html(format!("<p {}>", many("a=b ")))),
        (
            "attributes of many names",
            html(format!("<p {}>", (0..10_000).map(|n| format!("a{n}=b ")).collect::<String>())),
        ),
        ("begun tags", html(many("<"))),
        ("nested tables", html(many("<table><tr><td>"))),
        ("pictures by place", mixed(located)),
        ("pictures by id", mixed(format!("--a\nContent-Type: text/html\n\n{}", "cid:a ".repeat(10_000)))),
    ]
}

/// The most memory this process ever used, in bytes, where the system tells.
fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilo| kilo * 1024)
}

#[test]
fn bombs_cost_no_more_than_their_bytes() {
    for (name, raw) in bombs() {
        let begun = Instant::now();
        let mail = default(&raw);
        let took = begun.elapsed();
        // Seconds even on a slow machine; what is not linear takes minutes.
        assert!(took < Duration::from_secs(40), "{name}: {took:?}");
        assert!(mail.files.len() <= 1_000, "{name}: {} files", mail.files.len());
        assert!(mail.subject.len() <= 3 * 64 * 1024, "{name}: a subject of {} bytes", mail.subject.len());
        let words = mail.body.text.len() + mail.body.html.as_ref().map_or(0, String::len);
        assert!(words <= 16 << 20, "{name}: {words} bytes of words");
        if let Some(peak) = peak() {
            assert!(peak < 512 << 20, "{name}: {peak} bytes of memory");
        }
        if std::env::var_os("TELL").is_some() {
            println!("{name}: {took:?}, {} files, {:?}, {:?}", mail.files.len(), mail.cut, peak());
        }
    }
}

/// The header and the texts of an oversize mail, as a server gives them.
fn made_of(header: &str, texts: &[(&str, &str)]) -> Mail {
    let loaded: Vec<_> = texts
        .iter()
        .map(|(mime, bytes)| LoadedText { mime: mime.as_bytes(), bytes: bytes.as_bytes() })
        .collect();
    default(&reduced(header.as_bytes(), &loaded))
}

#[test]
fn an_oversize_mail_says_the_same_without_its_files() {
    let header = "Message-ID: <big@client.example>\r\nSubject: =?utf-8?B?0JLQuNC00LXQvg==?=\r\nFrom: a@client.example\r\nContent-Type: multipart/mixed; boundary=x\r\nContent-Transfer-Encoding: 8bit\r\n\r\n";
    let plain =
        "Content-Type: text/plain; charset=koi8-r\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n";
    let html = "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    let mail = made_of(header, &[(plain, "=C4=D7=C1"), (html, "PHA+0LTQstCwPC9wPg=="), (plain, "=D4=D2=C9")]);
    assert_eq!((mail.subject.as_str(), mail.message_id.as_deref()), ("Видео", Some("big@client.example")));
    assert_eq!(mail.body.text, "два\n\nтри");
    assert_eq!(mail.body.html.as_deref(), Some("<p>два</p>"));
    assert!(mail.files.is_empty() && mail.cut.is_empty());

    let mail = made_of(header, &[(plain, "--omni-outer-0\r\n=C4=D7=C1\r\n--omni-inner-0--\r\nstays")]);
    assert_eq!(mail.body.text, "--omni-outer-0\nдва\n--omni-inner-0--\nstays");

    let cut_short = made_of(header, &[(html, "PHA+0LTQstCwPC9wPg=="), (html, "0YLRgNC4IHR")]);
    assert!(cut_short.body.text.starts_with("два\n\nтри "), "{}", cut_short.body.text);
    assert_eq!(made_of(header, &[]).body.text, "");

    let only = "Subject: one part\r\nContent-Type: text/plain; charset=koi8-r\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n";
    assert_eq!(made_of(only, &[("", "=C4=D7=C1")]).body.text, "два");
}

/// A change of a mail's bytes, at a place and of a length that are chosen later.
#[derive(Clone, Debug)]
enum Spoil {
    Drop(Index, usize),
    Double(Index, usize),
    Put(Index, Vec<u8>),
    Other(Index, u8),
    End(Index),
}

impl Spoil {
    fn any() -> impl Strategy<Value = Self> {
        let syntax = [
            "\n",
            "\r",
            "\n\n",
            "--",
            "=?",
            "?=",
            "\"",
            ";",
            ":",
            "<",
            "\0",
            "=",
            "Content-Type: ",
            "boundary=",
        ];
        let bytes = prop::sample::select(syntax.to_vec()).prop_map(|text| text.as_bytes().to_vec());
        proptest::prop_oneof![
            (any::<Index>(), 1..200_usize).prop_map(|(at, count)| Self::Drop(at, count)),
            (any::<Index>(), 1..200_usize).prop_map(|(at, count)| Self::Double(at, count)),
            (any::<Index>(), bytes).prop_map(|(at, bytes)| Self::Put(at, bytes)),
            (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Self::Other(at, byte)),
            any::<Index>().prop_map(Self::End),
        ]
    }

    fn apply(&self, raw: &mut Vec<u8>) {
        if raw.is_empty() {
            return;
        }
        let (Self::Drop(at, _) | Self::Double(at, _) | Self::Put(at, _) | Self::Other(at, _) | Self::End(at)) =
            self;
        let at = at.index(raw.len());
        match self {
            Self::Drop(_, count) => drop(raw.drain(at..(at + count).min(raw.len()))),
            Self::Double(_, count) => {
                let piece = raw[at..(at + count).min(raw.len())].to_vec();
                drop(raw.splice(at..at, piece));
            }
            Self::Put(_, bytes) => drop(raw.splice(at..at, bytes.iter().copied())),
            Self::Other(_, byte) => raw[at] = *byte,
            Self::End(_) => raw.truncate(at),
        }
    }
}

/// What holds of every mail, whatever its bytes are.
fn is_sound(raw: &[u8]) -> Result<(), String> {
    let limits = Limits { parts: 20, depth: 5, header: 500, headers: 5_000, words: 2_000 };
    for limits in [Limits::default(), limits] {
        let mail = read(raw, &limits);
        if read(raw, &limits) != mail {
            return Err("read twice it says two things".into());
        }
        let chars = if mail.body.html.is_none() { mail.body.text.chars().count() } else { 0 };
        if chars > limits.words.max(100) || mail.files.len() > 1_000.min(limits.parts * 50) {
            return Err(format!("{chars} letters, {} files", mail.files.len()));
        }
        if mail.body.visible.trim().is_empty() != mail.body.text.trim().is_empty() {
            return Err(format!("{:?} is shown as {:?}", mail.body.text, mail.body.visible));
        }
        if mail.subject.chars().any(char::is_control) || mail.files.iter().any(|f| f.name.is_empty()) {
            return Err(format!("{:?}, {:?}", mail.subject, mail.files));
        }
        listed_files_come_out(raw, &mail)?;
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_are_a_mail(raw in vec(any::<u8>(), 0..2_000)) {
        prop_assert_eq!(is_sound(&raw), Ok(()));
    }

    #[test]
    fn any_text_is_a_mail(raw in "(Content-Type|From|Subject|X|\\PC{0,9})[: ;=\"\\n]\\PC{0,200}") {
        prop_assert_eq!(is_sound(raw.as_bytes()), Ok(()));
    }

    #[test]
    fn a_spoilt_mail_is_a_mail(which in any::<Index>(), changes in vec(Spoil::any(), 1..8)) {
        let corpus = corpus();
        let mut raw = corpus[which.index(corpus.len())].raw.clone();
        changes.iter().for_each(|change| change.apply(&mut raw));
        let sound = is_sound(&raw);
        prop_assert!(sound.is_ok(), "{sound:?}");
    }
}
