//! The suite that every [`Store`] passes, whichever database is behind it.
//!
//! A backend calls two macros in a test of its own. `make` is an `async fn() -> Fresh` that yields an empty
//! store:
//!
//! ```
//! use omni_testkit::store::Fresh;
//!
//! async fn make() -> Fresh {
//!     Fresh::new(omni_hub::MemoryStore::new())
//! }
//!
//! omni_testkit::store::suite!(make);
//! // omni_testkit::store::persistence!(make); // with Fresh::reopening, for stores that outlive the process
//! # fn main() {}
//! ```
//!
//! Every case is a test of its own, named after the rule it holds the store to. The crate that calls the macros
//! has `tokio` with `macros` and `rt-multi-thread` among its dev-dependencies.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use omni_hub::Store;

pub mod desks;
mod fixture;
pub mod leases;
pub mod log;
pub mod merging;
pub mod moved;
pub mod outbox;
pub mod persistent;
pub mod queries;
pub mod records;
pub mod snapshots;
pub mod statuses;
pub mod threads;
pub mod timers;
pub mod units;

type Reopen = dyn Fn() -> Pin<Box<dyn Future<Output = Arc<dyn Store>> + Send>> + Send + Sync;

/// An empty store, with what must live as long as it: a directory, a container.
pub struct Fresh {
    /// The store.
    pub store: Arc<dyn Store>,
    keep: Vec<Box<dyn Any + Send + Sync>>,
    reopen: Option<Box<Reopen>>,
}

impl fmt::Debug for Fresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fresh")
            .field("store", &self.store)
            .field("keep", &self.keep.len())
            .finish_non_exhaustive()
    }
}

impl Fresh {
    /// A store that needs nothing beside.
    pub fn new(store: impl Store) -> Self {
        Self { store: Arc::new(store), keep: Vec::new(), reopen: None }
    }

    /// The same with something that is dropped after the case.
    #[must_use]
    pub fn keeping(mut self, guard: impl Any + Send + Sync) -> Self {
        self.keep.push(Box::new(guard));
        self
    }

    /// The same with a way to open its data once more, beside the store or after it.
    #[must_use]
    pub fn reopening<S: Store, F: Future<Output = S> + Send + 'static>(
        mut self,
        open: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self {
        self.reopen = Some(Box::new(move || {
            let opening = open();
            Box::pin(async move { Arc::new(opening.await) as Arc<dyn Store> })
        }));
        self
    }

    /// Opens its data once more.
    ///
    /// # Panics
    /// When [`Fresh::reopening`] was not called.
    pub async fn reopen(&self) -> Arc<dyn Store> {
        match &self.reopen {
            Some(open) => open().await,
            None => panic!("the persistence cases need Fresh::reopening"),
        }
    }

    /// Drops the store and opens its data again, as a new process would.
    ///
    /// # Panics
    /// As [`Fresh::reopen`].
    #[must_use]
    pub async fn restarted(mut self) -> Self {
        self.store = Arc::new(omni_hub::MemoryStore::new());
        self.store = self.reopen().await;
        self
    }
}

/// One test for every case of the suite. See the [module](crate::store).
#[macro_export]
macro_rules! store_suite {
    ($make:path) => {
        $crate::store_cases! { $make;
            units: a_panicking_decision_stores_nothing_and_its_neighbours_stand,
            units: a_claim_is_taken_once,
            units: twenty_parallel_repeats_are_applied_once,
            units: a_repeat_never_asks_the_decision,
            units: a_claim_is_of_one_tenant_channel_event_and_kind,
            units: later_units_of_a_batch_see_earlier_ones,
            units: one_unit_writes_several_conversations,
            units: a_cursor_becomes_durable_with_its_batch,
            units: a_cursor_is_of_one_channel,
            units: a_refusal_is_handed_back,
            units: parallel_units_of_one_conversation_lose_nothing,
            units: parallel_batches_keep_every_unit,
            snapshots: a_target_of_nothing_shows_nothing,
            snapshots: an_unknown_target_shows_nothing,
            snapshots: an_address_shows_its_latest_conversation_and_its_person,
            snapshots: a_conversation_shows_its_address_and_its_person,
            snapshots: a_named_message_shows_its_conversation,
            snapshots: a_named_message_is_of_one_channel,
            snapshots: a_provider_id_is_looked_up_at_one_address_of_one_channel,
            snapshots: an_album_is_looked_up_in_its_conversation,
            snapshots: a_message_of_ours_is_looked_up_by_its_id,
            snapshots: unsettled_messages_are_outgoing_and_newest_first,
            snapshots: unread_messages_are_outgoing_newest_first_and_at_most_two_hundred,
            snapshots: a_person_is_looked_up_by_identity_when_the_address_has_none,
            snapshots: other_persons_and_conversations_are_looked_up_by_id,
            records: a_message_comes_back_whole,
            records: a_conversation_comes_back_whole,
            records: a_person_comes_back_whole,
            records: an_address_comes_back_whole,
            records: a_person_may_become_known_later,
            records: an_outbox_row_comes_back_whole,
            records: an_entry_keeps_the_raw_payload_to_the_letter,
            records: every_host_event_comes_back_as_it_was_written,
            records: blobs_come_back_whole,
            statuses: a_status_never_falls,
            statuses: an_error_is_that_of_the_status,
            statuses: a_changed_message_keeps_its_status,
            statuses: news_may_name_a_message,
            moved: a_moved_address_takes_everything_along,
            moved: an_address_that_moves_onto_another_one_joins_it,
            threads: a_thread_is_where_the_first_known_message_is,
            threads: a_thread_goes_on_in_the_latest_conversation,
            threads: an_unknown_thread_is_the_address_given,
            threads: a_thread_is_of_one_channel,
            threads: of_several_messages_with_one_name_the_newest_counts,
            threads: a_thread_is_found_by_all_ids_of_what_was_sent,
            threads: a_thread_is_found_by_further_names,
            threads: a_unit_continues_what_an_earlier_one_of_its_batch_wrote,
            threads: a_thread_follows_a_moved_address,
            threads: pruning_forgets_no_thread,
            threads: a_note_comes_back_whole,
            threads: a_note_stays_when_its_address_changes,
            threads: a_note_moves_with_its_address,
            merging: identities_of_both_lead_to_the_one_that_goes_on,
            merging: an_identity_that_was_not_taken_over_leads_on_as_well,
            merging: addresses_and_conversations_name_the_one_that_goes_on,
            merging: a_merge_keeps_owners_queues_and_timers_of_both_sides,
            merging: what_is_written_along_with_a_merge_follows_it,
            merging: a_person_merged_into_themselves_stays,
            desks: an_unknown_tenant_has_an_empty_desk,
            desks: an_agent_never_heard_of_is_offline,
            desks: an_agent_comes_back_whole,
            desks: times_of_an_agent_never_move_back,
            desks: a_load_counts_open_conversations_of_the_tenant_by_channel,
            desks: a_load_follows_owner_closing_and_reopening,
            desks: units_of_one_batch_see_each_others_loads,
            desks: parallel_placements_never_exceed_a_capacity,
            desks: a_unit_that_fails_changes_no_load,
            desks: the_longest_waiting_comes_first,
            desks: a_queue_follows_its_conversations,
            desks: a_place_in_a_queue_comes_back_whole,
            desks: a_moved_address_changes_no_load_and_no_queue,
            outbox: rows_come_in_the_order_of_their_making,
            outbox: a_row_is_taken_once,
            outbox: parallel_nodes_never_take_the_same_row,
            outbox: rows_of_a_living_node_are_left_alone_and_those_of_a_dead_one_taken,
            outbox: a_row_waits_for_its_time_and_holds_back_what_is_behind,
            outbox: a_lane_stays_with_the_node_that_has_its_first_row,
            outbox: a_row_given_back_is_taken_by_another_node,
            outbox: only_rows_of_the_channels_asked_for_are_taken,
            outbox: waiting_channels_never_hide_the_rows_of_others,
            outbox: an_update_leaves_the_owner_as_it_is,
            outbox: a_row_that_is_done_is_gone,
            timers: timers_come_when_due_and_earliest_first,
            timers: a_timer_comes_back_whole,
            timers: a_timer_that_is_stopped_is_gone,
            timers: only_timers_of_the_channels_asked_for_come,
            leases: a_lease_is_exclusive_until_it_runs_out,
            leases: a_lease_is_renewed_by_its_holder_alone,
            leases: a_lease_is_given_back_by_its_holder_alone,
            leases: of_parallel_takers_one_wins,
            log: entries_are_numbered_in_order_and_read_in_pages,
            log: a_consumer_never_moves_back,
            log: pruning_keeps_the_newest_entry_and_what_is_not_consumed,
            log: numbers_go_on_after_pruning,
            queries: conversations_are_listed_newest_message_first,
            queries: conversations_are_filtered,
            queries: an_agent_sees_what_their_teams_see_and_what_they_have,
            queries: conversations_are_found_by_owner_queue_and_person,
            queries: pages_of_conversations_meet,
            queries: pages_meet_whatever_is_asked_for,
            queries: messages_are_listed_newest_first_in_pages,
        }
    };
}

/// One test for every case about data that outlive the process. See the [module](crate::store).
#[macro_export]
macro_rules! store_persistence {
    ($make:path) => {
        $crate::store_cases! { $make;
            persistent: everything_survives_a_restart,
            persistent: desks_survive_a_restart,
            threads: threads_and_notes_survive_a_restart,
            persistent: numbers_go_on_after_a_restart,
            persistent: two_handles_are_two_nodes_on_one_store,
            persistent: two_handles_claim_an_event_once,
            persistent: two_handles_lose_no_change_of_one_conversation,
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! store_cases {
    ($make:path; $($module:ident: $case:ident,)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::store::$module::$case($make().await).await;
        }
    )*};
}

pub use crate::store_persistence as persistence;
pub use crate::store_suite as suite;
