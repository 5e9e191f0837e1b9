//! VK community (Callback API, Bots Long Poll, messages) connector of omni.
