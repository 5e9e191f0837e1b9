//! The inbox page, driven in a browser.
