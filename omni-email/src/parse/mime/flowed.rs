//! Lines that flow (RFC 3676): broken by the program that sent them, joined by the one that reads.

/// Text with its flowing lines joined. `delsp`: the blank at the end of a flowing line is not part of the text.
pub(super) fn joined(text: &str, delsp: Blank) -> String {
    let mut out = String::with_capacity(text.len());
    // How deep the open line is quoted, if the line before flows on.
    let mut open: Option<usize> = None;
    for (number, line) in text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let depth = line.len() - line.trim_start_matches('>').len();
        let rest = line.get(depth..).unwrap_or_default();
        let rest = rest.strip_prefix(' ').unwrap_or(rest); // stuffed, so that it looks like no quote
        let signature = rest == "-- ";
        if open != Some(depth) || signature {
            if number > 0 {
                out.push('\n');
            }
            if depth > 0 {
                out.extend(std::iter::repeat_n('>', depth));
                out.push(' ');
            }
        }
        let flows = rest.ends_with(' ') && !signature;
        out.push_str(if flows && delsp == Blank::Dropped {
            rest.strip_suffix(' ').unwrap_or(rest)
        } else {
            rest
        });
        open = flows.then_some(depth);
    }
    out
}

/// What becomes of the blank at the end of a flowing line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blank {
    /// It parts two words.
    Kept,
    /// `delsp=yes`: it is only the sign.
    Dropped,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flowing_lines_are_joined_within_one_depth() {
        let text = "Добрый \nдень.\n> первая \n> строка\n>> глубже \n> выше\n-- \nИван \nПетров";
        let wanted = "Добрый день.\n> первая строка\n>> глубже \n> выше\n-- \nИван Петров";
        assert_eq!(joined(text, Blank::Kept), wanted);
    }

    #[test]
    fn stuffed_blanks_go_and_the_sign_with_delsp() {
        assert_eq!(
            joined(" From here\n >no quote\nあい \nうえ", Blank::Dropped),
            "From here\n>no quote\nあいうえ"
        );
    }

    #[test]
    fn an_empty_text_stays_empty() {
        assert_eq!(joined("", Blank::Kept), "");
        assert_eq!(joined("a \n", Blank::Kept), "a ");
    }
}
