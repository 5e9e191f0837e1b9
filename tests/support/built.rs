//! The examples of this package, built: tests run them as processes.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The program of an example. `cargo test` and `./test` build the examples beside the tests.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let target = test.parent().and_then(Path::parent).unwrap(); // a test lies in target/PROFILE/deps
    let program = target.join("examples").join(name);
    let how = format!("cargo build --example {name} --features full");
    assert!(program.exists(), "{} is missing: build it with `{how}`", program.display());
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let sources = [examples.join(format!("{name}.rs")), examples.join(name)];
    let newest = sources.iter().filter(|source| source.exists()).map(|source| newest(source)).max();
    assert!(
        Some(changed(&program)) >= newest,
        "{} is older than its source: build it with `{how}`",
        program.display()
    );
    program
}

/// When anything in a folder, or a file, was changed last.
fn newest(path: &Path) -> SystemTime {
    if !path.is_dir() {
        return changed(path);
    }
    let inside = std::fs::read_dir(path).unwrap().map(|entry| newest(&entry.unwrap().path()));
    inside.max().unwrap_or(SystemTime::UNIX_EPOCH)
}

fn changed(path: &Path) -> SystemTime {
    std::fs::metadata(path).and_then(|about| about.modified()).unwrap()
}
