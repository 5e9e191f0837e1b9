//! Numbers as text without an allocation: every update has four ids, and each becomes text of its own kind.

/// The decimal digits of a number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decimal {
    /// Filled from the end; an `i64` has at most 19 digits and a sign.
    digits: [u8; 20],
    start: usize,
}

impl Decimal {
    pub(crate) fn new(number: i64) -> Self {
        let mut digits = [b'0'; 20];
        let mut rest = number.unsigned_abs();
        let mut start = digits.len();
        for (place, digit) in digits.iter_mut().enumerate().rev() {
            *digit = b'0' + (rest % 10) as u8;
            start = place;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if let (true, Some(sign)) = (number < 0, start.checked_sub(1).and_then(|place| digits.get_mut(place)))
        {
            *sign = b'-';
            start -= 1;
        }
        Self { digits, start }
    }

    pub(crate) fn as_str(&self) -> &str {
        // Digits and a sign are always UTF-8, and `start` is always within.
        self.digits.get(self.start..).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_usual() {
        for number in [0, 1, -1, 9, 10, 100_200_300, -1_001_234_567_890, i64::MAX, i64::MIN] {
            assert_eq!(Decimal::new(number).as_str(), number.to_string());
        }
    }
}
