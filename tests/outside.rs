//! A connector outside this workspace: the crate that `docs/writing-a-connector.md` describes is made in a fresh folder,
//! exactly by its steps, and passes the suite there; ten faults put into it do not get past the suite.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};

use omni_testkit::conformance::Committed;
use tempfile::TempDir;

const GUIDE: &str = "docs/writing-a-connector.md";
/// The heading of the guide's section that is carried out here.
const SECTION: &str = "## A new crate\n";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn put(path: PathBuf, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The code of a section's first block in a language.
fn block<'a>(section: &'a str, language: &str) -> &'a str {
    let (_, rest) = section.split_once(&format!("```{language}\n")).expect("a block of this language");
    rest.split_once("```").unwrap().0
}

/// A crate outside. What it builds stays beside what this workspace builds, for the next time; the crate itself is
/// in another folder then.
struct Outside {
    folder: TempDir,
    /// One at a time: they share what they build.
    _alone: MutexGuard<'static, ()>,
}

impl Outside {
    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn cargo(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("outside");
        Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .current_dir(self.folder.path())
            .args(arguments)
            .env("CARGO_TARGET_DIR", shared)
            // Half the room and time; nobody debugs there.
            .envs([("CARGO_PROFILE_DEV_DEBUG", "0"), ("CARGO_INCREMENTAL", "0"), ("RUST_BACKTRACE", "0")])
            .env_remove("UPDATE_GOLDEN")
            .envs(environment.iter().copied())
            .output()
            .unwrap()
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        self.cargo(&["clean", "--offline", "--package", "omni-parrot"], &[]);
    }
}

/// The crate, by the guide's steps: a row of its table is a file to copy, its first blocks are the files to write.
fn made_by_the_guide() -> Outside {
    static ONE: Mutex<()> = Mutex::new(());
    let alone = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let guide = text(GUIDE);
    let (_, section) = guide.split_once(SECTION).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let outside = Outside { folder: tempfile::tempdir().unwrap(), _alone: alone };
    for row in section.lines().filter(|line| line.starts_with("| `")) {
        let paths: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
        let [from, to] = [paths[0], *paths.last().unwrap()];
        let whole = text(from);
        let taken = if row.contains("without its `main`") {
            whole.split_once("\nfn main()").expect("a `main` at the end").0
        } else {
            &whole
        };
        put(outside.at(to), taken);
    }
    let manifest = block(section, "toml");
    assert!(manifest.contains("../omni/"), "{manifest}");
    put(outside.at("Cargo.toml"), &manifest.replace("../omni/", &format!("{}/", root().display())));
    put(outside.at("tests/conformance/main.rs"), block(section, "rust"));
    outside
}

fn shown(output: &Output) -> String {
    [&*output.stdout, &*output.stderr].map(String::from_utf8_lossy).concat()
}

#[test]
fn the_crate_of_the_guide_passes_the_suite_outside() {
    let outside = made_by_the_guide();
    // The first run writes the report, the second compares with it.
    for environment in [&[("UPDATE_GOLDEN", "1")][..], &[]] {
        let output = outside.cargo(&["test", "--offline"], environment);
        assert!(output.status.success(), "{}", shown(&output));
        assert!(shown(&output).contains("the_connector_conforms ... ok"), "{}", shown(&output));
    }
    let report = fs::read_to_string(outside.at("CONFORMANCE.md")).unwrap();
    assert!(report.starts_with("# Conformance of omni-parrot"), "{report}");
    assert!(!report.contains("FAILED"), "{report}");
    let committed = Committed::of(outside.folder.path());
    assert_eq!((&*committed.name, committed.provider.as_str()), ("omni-parrot", "parrot"));
    assert!(committed.outdated().is_empty(), "{:?}", committed.outdated());
}

/// Something wrong with a connector, and what the suite has to say of it.
struct Fault {
    name: &'static str,
    /// A piece of the sound connector, and what stands there in its place.
    piece: &'static str,
    fault: &'static str,
    /// The rule that does not hold, a part of what is told, and where to read on.
    rule: &'static str,
    told: &'static str,
    read_on: &'static str,
}

const FAULTS: [Fault; 10] = [
    Fault {
        name: "skips_verification",
        piece: "Verified::by_hmac_sha256(request, signature.as_deref(), secret)",
        fault: "{ let _ = (signature, secret); Ok(Verified::trusted(request)) }",
        rule: "Receiving: a forged webhook is refused",
        told: "Missing is taken, with 1 events",
        read_on: "omni_core::channel; docs/writing-a-connector.md#verify",
    },
    Fault {
        name: "drops_the_second_of_a_batch",
        piece: "events.iter().map(|raw| event(raw)).collect()",
        fault: "events.iter().enumerate().filter(|(n, _)| *n != 1).map(|(_, raw)| event(raw)).collect()",
        rule: "Receiving: one bad entry keeps the others",
        told: "the bad entry never came",
        read_on: "law 2 (omni_core, \"The laws\"); docs/writing-a-connector.md#parse",
    },
    Fault {
        name: "moves_its_place_early",
        piece: "            sink.commit(read(&events), next.clone()).await?;
            self.ask(\"ack\", json!({\"up_to\": next})).await?;",
        fault: "            self.ask(\"ack\", json!({\"up_to\": next})).await?;
            sink.commit(read(&events), next.clone()).await?;",
        rule: "Receiving: a listener moves on only after the commit",
        told: "was the place moved before the commit?",
        read_on: "law 1 (omni_core, \"The laws\"); docs/writing-a-connector.md#listen",
    },
    Fault {
        name: "swallows_what_it_does_not_know",
        piece: "events.iter().map(|raw| event(raw)).collect()",
        fault: "events.iter().filter(|raw| from_str::<News>(raw.get()).is_ok()).map(|raw| event(raw)).collect()",
        rule: "Events: unsupported",
        told: "unsupported never came",
        read_on: "law 2 (omni_core, \"The laws\"); docs/writing-a-connector.md#parse",
    },
    Fault {
        name: "declares_what_it_cannot",
        piece: "    can.statuses = ",
        fault: "    can.typing = capability::Action::Yes;\n    can.statuses = ",
        rule: "Actions: writing is shown",
        told: "it is declared",
        read_on: "omni_core::channel; docs/writing-a-connector.md#capabilities",
    },
    Fault {
        name: "shows_its_token",
        piece: "        bearer.set_sensitive(true);",
        fault: "        bearer.set_sensitive(false);",
        rule: "Account: nothing secret shows",
        told: "the channel shows a secret",
        read_on: "law 12 (omni_core, \"The laws\"); docs/writing-a-connector.md#secrets",
    },
    Fault {
        name: "repeats_an_unknown_send",
        piece: "let sent = self.call(\"messages\", json!({\"chat\": item.address.main(), \"text\": text.plain})).await?;",
        fault: "let fields = json!({\"chat\": item.address.main(), \"text\": text.plain});
        let sent = match self.call(\"messages\", fields.clone()).await {
            Err(SendError::Unknown(_)) => self.call(\"messages\", fields).await?,
            sent => sent?,
        };",
        rule: "Outcomes: a lost answer is unknown and nothing is repeated",
        told: "the customer sees it 2 times",
        read_on: "law 5 (omni_core, \"The laws\"); docs/writing-a-connector.md#send",
    },
    // The second of two statuses is then a repeat of the first (law 3): the hub stays at the lower one.
    Fault {
        name: "names_statuses_after_their_message",
        piece: "message: MessageName::Provider(message.into()), status, error: None };
            Event::new(id, ",
        fault: "message: MessageName::Provider(message.clone().into()), status, error: None };
            let _ = id;
            Event::new(message, ",
        rule: "Outcomes: news of one message is told in any order",
        told: "[Read] of one message, told as [Delivered, Read]",
        read_on: "law 6 (omni_core, \"The laws\"); docs/writing-a-connector.md#parse",
    },
    Fault {
        name: "parts_texts_inside_signs",
        piece: "let sent = self.call(\"messages\", json!({\"chat\": item.address.main(), \"text\": text.plain})).await?;",
        fault: "let mut sent = Said::default();
        for piece in text.plain.chars().collect::<Vec<char>>().chunks(500) {
            let piece: String = piece.iter().collect();
            sent = self.call(\"messages\", json!({\"chat\": item.address.main(), \"text\": piece})).await?;
        }",
        rule: "Words: a long text is parted between its signs",
        told: "a message begins or ends inside 👨‍👩‍👧‍👦",
        read_on: "omni_core::channel; docs/writing-a-connector.md#send",
    },
    Fault {
        name: "takes_a_revoked_token_for_a_passing_trouble",
        piece: "401 => error(ErrorKind::BadCredentials)",
        fault: "401 => error(ErrorKind::Unavailable)",
        rule: "Account: a revoked credential is told with advice",
        told: "check says me: the provider is not available",
        read_on: "omni_core::channel; docs/writing-a-connector.md#errors",
    },
];

/// The source with one piece replaced.
fn spoilt(sound: &str, fault: &Fault) -> String {
    let found = sound.matches(fault.piece).count();
    assert_eq!(found, 1, "{}: the piece to replace is there {found} times: {}", fault.name, fault.piece);
    sound.replace(fault.piece, fault.fault)
}

#[test]
fn ten_faults_are_found_and_told_with_what_is_wrong_and_where_to_read_on() {
    let outside = made_by_the_guide();
    let at = |path: &str| outside.at(path);
    let sound = fs::read_to_string(at("src/lib.rs")).unwrap();
    let mut main = String::from(
        "use omni_testkit::conformance;\n\n\
         #[path = \"../conformance/parrot.rs\"]\nmod parrot;\n\n\
         macro_rules! fault {\n    ($name:ident, $connector:literal, $rig:literal) => {\n        mod $name {\n            \
         use super::{conformance, parrot};\n\n            \
         #[path = $connector]\n            mod custom_connector;\n            \
         #[path = $rig]\n            mod rig;\n\n            \
         #[tokio::test(flavor = \"multi_thread\", worker_threads = 2)]\n            async fn conforms() {\n                \
         let (webhook, asking) = tokio::join!(\n                    \
         conformance::run(rig::Account::by_webhook),\n                    \
         conformance::run(rig::Account::by_asking),\n                );\n                \
         let mut both = webhook;\n                \
         both.rows.extend(asking.rows);\n                both.assert_passed();\n            \
         }\n        }\n    };\n}\n\n",
    );
    let rig = at("tests/conformance/rig.rs");
    for fault in &FAULTS {
        let path = at(&format!("faults/{}.rs", fault.name));
        main += &format!("fault!({}, {path:?}, {rig:?});\n", fault.name);
        put(path, &spoilt(&sound, fault));
    }
    put(at("tests/faults/main.rs"), &main);
    let output = outside.cargo(&["test", "--offline", "--test", "faults"], &[]);
    let all = shown(&output);
    assert!(!output.status.success(), "{all}");
    let guide = text(GUIDE);
    let (_, quoted) = block(&guide, "text").split_once('\n').unwrap();
    assert!(all.contains(quoted), "the guide quotes what is not told: {quoted}{all}");
    for fault in &FAULTS {
        let start = format!("---- {}::conforms stdout ----", fault.name);
        let (_, told) =
            all.split_once(&start).unwrap_or_else(|| panic!("{} is not found: {all}", fault.name));
        let told = told.split("\n---- ").next().unwrap();
        let (_, row) = told
            .split_once(&format!("- {}\n", fault.rule))
            .unwrap_or_else(|| panic!("{}: {:?} is not among what is told: {told}", fault.name, fault.rule));
        let row = row.split("\n- ").next().unwrap();
        assert!(row.contains(fault.told), "{}: {row}", fault.name);
        assert!(row.contains(&format!("read on: {}", fault.read_on)), "{}: {row}", fault.name);
    }
}
