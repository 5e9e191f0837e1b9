//! Reports of deliveries, receipts, complaints.

/// What a report says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Report {
    /// Of a delivery.
    Delivery,
}
