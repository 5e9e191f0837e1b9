//! HTML: cleaned, and as text.
