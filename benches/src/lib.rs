//! What the benches share: the update they send, and statistics of repeated runs.

/// A text update as Telegram sends it, with Cyrillic, an emoji and an entity.
pub fn text_update(update_id: u64, chat: u64, text: &str) -> Vec<u8> {
    format!(
        r#"{{"update_id":{update_id},"message":{{"message_id":{update_id},"date":1767225600,"from":{{"id":{chat},"is_bot":false,"first_name":"Иван","last_name":"Петров","username":"ivan_p","language_code":"ru"}},"chat":{{"id":{chat},"type":"private","first_name":"Иван","last_name":"Петров","username":"ivan_p"}},"text":"{text}","entities":[{{"type":"bold","offset":0,"length":6}}]}}}}"#
    )
    .into_bytes()
}

/// The middle of several measurements.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
