//! Where to read on when a rule does not hold.

/// The guide that walks through a connector, in the repository.
const GUIDE: &str = "docs/writing-a-connector.md";

/// What a rule follows from, and the place in the guide that is about it.
struct Pointer {
    section: &'static str,
    /// What stands in the rule; nothing fits every rule of the section.
    words: &'static str,
    law: Option<u8>,
    place: &'static str,
}

const fn at(section: &'static str, words: &'static str, law: u8, place: &'static str) -> Pointer {
    Pointer { section, words, law: Some(law), place }
}

const fn lawless(section: &'static str, words: &'static str, place: &'static str) -> Pointer {
    Pointer { section, words, law: None, place }
}

/// The first that fits counts.
const POINTERS: &[Pointer] = &[
    at("Account", "secret", 12, "secrets"),
    lawless("Account", "revoked", "errors"),
    lawless("Account", "address", "parse"),
    lawless("Account", "", "capabilities"),
    lawless("Receiving", "forged", "verify"),
    at("Receiving", "read alike", 3, "parse"),
    at("Receiving", "capped", 12, "parse"),
    at("Receiving", "listener", 1, "listen"),
    lawless("Receiving", "refused", "listen"),
    at("Receiving", "", 2, "parse"),
    at("Events", "unsupported", 2, "parse"),
    lawless("Events", "", "capabilities"),
    at("Words", "markup", 12, "send"),
    lawless("Words", "", "send"),
    lawless("Content", "", "capabilities"),
    at("Outcomes", "pause", 10, "errors"),
    at("Outcomes", "refusal", 5, "errors"),
    at("Outcomes", "in any order", 6, "parse"),
    lawless("Outcomes", "statuses", "parse"),
    at("Outcomes", "", 5, "send"),
    lawless("Actions", "", "capabilities"),
    at("Dropped futures", "listener", 1, "listen"),
    at("Dropped futures", "", 5, "send"),
    at("Behind a hub", "webhook", 3, "parse"),
    at("Behind a hub", "order", 4, "send"),
    at("Behind a hub", "pause", 10, "errors"),
    at("Behind a hub", "lost answer", 5, "send"),
    lawless("Behind a hub", "", "errors"),
];

/// The law that a rule follows from, where it is one, and the place in the guide.
pub(super) fn read_on(section: &str, rule: &str) -> String {
    let fits = |pointer: &&Pointer| pointer.section == section && rule.contains(pointer.words);
    match POINTERS.iter().find(fits) {
        Some(Pointer { law: Some(law), place, .. }) => {
            format!("law {law} (omni_core, \"The laws\"); {GUIDE}#{place}")
        }
        Some(Pointer { place, .. }) => format!("omni_core::channel; {GUIDE}#{place}"),
        None => GUIDE.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_place_to_read_on() {
        for case in crate::conformance::cases() {
            let place = read_on(case.section, &case.rule);
            assert!(place.contains('#'), "{}: {} has none", case.section, case.rule);
        }
    }

    #[test]
    fn every_place_is_in_the_guide_and_every_pointer_is_needed() {
        let guide = std::fs::read_to_string(format!("{}/../{GUIDE}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let headings = guide.lines().filter_map(|line| line.strip_prefix("## "));
        let places: Vec<String> = headings.map(|heading| heading.to_lowercase().replace(' ', "-")).collect();
        let all = crate::conformance::cases();
        for (index, Pointer { section, words, place, .. }) in POINTERS.iter().enumerate() {
            assert!(places.iter().any(|found| found == place), "{place} is not among {places:?}");
            let fits = |rule: &str, of: &str, p: &Pointer| p.section == of && rule.contains(p.words);
            let first = |case: &crate::conformance::Case| {
                POINTERS.iter().position(|p| fits(&case.rule, case.section, p))
            };
            assert!(
                all.iter().any(|case| first(case) == Some(index)),
                "nothing comes to {section} {words:?}"
            );
        }
    }
}
