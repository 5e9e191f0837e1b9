//! Numbers in columns.

use std::fmt::Write as _;
use std::time::Duration;

/// Rows of cells under a head; the first column is words, the others are numbers.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(head: &[&str]) -> Self {
        Self { rows: vec![head.iter().map(|&cell| cell.to_owned()).collect()] }
    }

    pub(crate) fn row(&mut self, name: impl Into<String>, numbers: &[String]) {
        let mut row = vec![name.into()];
        row.extend_from_slice(numbers);
        self.rows.push(row);
    }

    /// The rows, in line with each other.
    pub(crate) fn print(&self, out: &mut String) {
        let length = |cell: &String| cell.chars().count();
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(length).max();
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
        for row in &self.rows {
            let mut line = String::from("  ");
            for (index, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let _ = match index {
                    0 => write!(line, "{cell:<width$}"),
                    _ => write!(line, "  {cell:>width$}"),
                };
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
}

/// A time as people say it.
pub(crate) fn said(time: Duration) -> String {
    let minutes = (time.as_secs() + 30) / 60;
    match minutes {
        0 => "< 1 min".to_owned(),
        1..60 => format!("{minutes} min"),
        _ => format!("{} h {:02}", minutes / 60, minutes % 60),
    }
}

/// The average and the 90th percentile, the smallest time that 90 of 100 do not exceed; dashes for no times.
pub(crate) fn average_and_p90(times: &[Duration]) -> [String; 2] {
    let mut sorted = times.to_vec();
    sorted.sort();
    let rank = (sorted.len() * 9).div_ceil(10).saturating_sub(1);
    let average = average(&sorted);
    [average.map_or("-".to_owned(), said), sorted.get(rank).copied().map_or("-".to_owned(), said)]
}

pub(crate) fn average(times: &[Duration]) -> Option<Duration> {
    let count = u32::try_from(times.len()).ok().filter(|count| *count > 0)?;
    Some(times.iter().sum::<Duration>() / count)
}
