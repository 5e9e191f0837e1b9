//! What inline styles hide from readers.

/// What an element's style does to the words in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// Nothing.
    Shown,
    /// Everything within is out of sight.
    Hidden,
    /// The words directly within have no size. Elements within may have one again: builders of newsletters set the
    /// size of a frame to nothing to close its gaps.
    Sizeless,
    /// The words have a size again.
    Sized,
}

/// What a `style` attribute hides.
pub(super) fn sight(style: &str) -> Sight {
    let mut sight = Sight::Shown;
    let mut is_flat = false;
    let mut is_clipped = false;
    for (name, value) in declarations(style) {
        match name.as_str() {
            "display" if value.starts_with("none") => return Sight::Hidden,
            "visibility" if value.starts_with("hidden") => return Sight::Hidden,
            "opacity" if is_zero(&value) => return Sight::Hidden,
            "max-height" | "height" | "max-width" => is_flat |= is_zero(&value),
            "overflow" => is_clipped = value.starts_with("hidden"),
            "font-size" if is_zero(&value) => sight = Sight::Sizeless,
            "font-size" => sight = Sight::Sized,
            _ => {}
        }
    }
    if is_flat && is_clipped { Sight::Hidden } else { sight }
}

/// Names and values in lower case, without blanks.
pub(super) fn declarations(style: &str) -> impl Iterator<Item = (String, String)> {
    let lean = |s: &str| s.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
    style.split(';').filter_map(move |one| one.split_once(':').map(|(name, value)| (lean(name), lean(value))))
}

/// `0`, `0px`, `0.0em`, `0!important`
fn is_zero(value: &str) -> bool {
    let number =
        value.trim_end_matches("!important").trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
    number.parse::<f32>() == Ok(0.0)
}
