//! Timers are rows with a due time.

use omni_core::conversation::TimerKind;
use omni_hub::store::{Changes, ChannelKey, TimerRecord};

use super::Fresh;
use super::fixture::*;

async fn start(fresh: &Fresh, timers: &[TimerRecord]) {
    let timers = timers.to_vec();
    write(&*fresh.store, move || Changes { timers: timers.clone(), ..Changes::default() }).await;
}

/// At their time and not before, and again until their unit stops them.
pub async fn timers_come_when_due_and_earliest_first(fresh: Fresh) {
    let make = Maker::new();
    let conversation = open(&*fresh.store, &make, &peer("1")).await;
    assert_eq!(ok(fresh.store.next_timer(&[shop()]).await), None);
    let [late, early, middle] = [30, 10, 20].map(|due| make.timer(&conversation, at(due)));
    start(&fresh, &[late.clone(), early.clone(), middle.clone()]).await;
    assert_eq!(ok(fresh.store.next_timer(&[shop()]).await), Some(at(10)));
    assert!(ok(fresh.store.timers_due(&[shop()], at(9), 10).await).is_empty());
    for _ in 0..2 {
        assert_eq!(ok(fresh.store.timers_due(&[shop()], at(20), 10).await), [early.clone(), middle.clone()]);
    }
    assert_eq!(ok(fresh.store.timers_due(&[shop()], at(99), 2).await), [early.clone(), middle.clone()]);
    assert_eq!(ok(fresh.store.timers_due(&[shop()], at(99), 10).await), [early, middle, late]);
}

/// Every field, of every kind of timer.
pub async fn a_timer_comes_back_whole(fresh: Fresh) {
    let make = Maker::new();
    let conversation = open(&*fresh.store, &make, &peer("1")).await;
    let kinds = [TimerKind::Own(0), TimerKind::Wake, TimerKind::Own(u32::MAX)];
    let all = kinds.map(|kind| TimerRecord { kind, ..make.timer(&conversation, at(10)) });
    start(&fresh, &all).await;
    assert_eq!(
        ok(fresh.store.timers_due(&[shop()], at(10), 10).await),
        all,
        "of one moment as they were set"
    );
}

/// Stopping one that is gone is nothing.
pub async fn a_timer_that_is_stopped_is_gone(fresh: Fresh) {
    let make = Maker::new();
    let conversation = open(&*fresh.store, &make, &peer("1")).await;
    let [first, second] = [10, 20].map(|due| make.timer(&conversation, at(due)));
    start(&fresh, &[first.clone(), second.clone()]).await;
    for _ in 0..2 {
        let token = first.token;
        write(&*fresh.store, move || Changes { timers_done: vec![token], ..Changes::default() }).await;
        assert_eq!(ok(fresh.store.timers_due(&[shop()], at(99), 10).await), std::slice::from_ref(&second));
        assert_eq!(ok(fresh.store.next_timer(&[shop()]).await), Some(at(20)));
    }
}

/// Those of channels that nobody has connected stay, and hide none.
pub async fn only_timers_of_the_channels_asked_for_come(fresh: Fresh) {
    let (make, gone) = (Maker::new(), ChannelKey::new("acme", "gone"));
    let here = open(&*fresh.store, &make, &peer("1")).await;
    let there = open(&*fresh.store, &make, &gone.peer(peer("1").address)).await;
    let theirs: Vec<TimerRecord> = (0..20).map(|i| make.timer(&there, at(i))).collect();
    let ours = make.timer(&here, at(50));
    start(&fresh, &theirs).await;
    start(&fresh, std::slice::from_ref(&ours)).await;
    assert_eq!(ok(fresh.store.timers_due(&[shop()], at(99), 5).await), [ours]);
    assert_eq!(ok(fresh.store.next_timer(&[shop()]).await), Some(at(50)));
    assert_eq!(ok(fresh.store.next_timer(&[shop(), gone]).await), Some(at(0)));
    assert_eq!(ok(fresh.store.next_timer(&[]).await), None);
}
