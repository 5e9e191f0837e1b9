//! Rules within the reading of reports.

use super::*;
