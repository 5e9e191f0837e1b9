//! Circles and chains in what names what.

use std::collections::{BTreeMap, BTreeSet};

/// Which names lead to which.
pub(super) type Graph<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// Circles, each as the names on the way round, beginning with its first in order. Every name that is on a circle is
/// in one of them. Nothing here recurses: a book may be long.
pub(super) fn circles<'a>(graph: &Graph<'a>) -> Vec<Vec<&'a str>> {
    let mut left = graph.clone();
    let mut found = Vec::new();
    loop {
        // What leads nowhere is on no circle.
        loop {
            let dead: Vec<&str> = left
                .iter()
                .filter(|(_, to)| !to.iter().any(|t| left.contains_key(t)))
                .map(|(from, _)| *from)
                .collect();
            if dead.is_empty() {
                break;
            }
            dead.iter().for_each(|name| drop(left.remove(name)));
        }
        // From any of the rest one gets on, always, and so around.
        let Some(start) = left.keys().next().copied() else { return found };
        let mut way = vec![start];
        let mut at = start;
        let circle = loop {
            let next = left.get(at).and_then(|to| to.iter().find(|t| left.contains_key(*t)).copied());
            let Some(next) = next else { break Vec::new() };
            if let Some(begin) = way.iter().position(|name| *name == next) {
                break way.split_off(begin);
            }
            way.push(next);
            at = next;
        };
        for name in &circle {
            left.remove(name);
        }
        if circle.is_empty() {
            left.remove(start);
            continue;
        }
        let mut circle = circle;
        let first = circle.iter().enumerate().min_by_key(|(_, name)| **name).map_or(0, |(i, _)| i);
        circle.rotate_left(first);
        found.push(circle);
    }
}

/// A circle in words: `a -> b -> a`.
pub(super) fn shown(circle: &[&str]) -> String {
    let names: Vec<&str> = circle.iter().chain(circle.first()).copied().collect();
    names.join(" -> ")
}

/// Ways of more than `most` steps, one from each name that nothing longer leads to. Circles must be taken out before.
pub(super) fn chains<'a>(graph: &Graph<'a>, most: usize) -> Vec<Vec<&'a str>> {
    // Names from which so many steps can be taken, for one step after the other.
    let mut deep: Vec<BTreeSet<&str>> = vec![graph.keys().copied().collect()];
    for _ in 0..=most {
        let last = deep.last().cloned().unwrap_or_default();
        deep.push(
            graph
                .iter()
                .filter(|(_, to)| to.iter().any(|t| last.contains(t)))
                .map(|(from, _)| *from)
                .collect(),
        );
    }
    let starts = deep.last().cloned().unwrap_or_default();
    let outer =
        starts.iter().filter(|s| !starts.iter().any(|o| graph.get(o).is_some_and(|to| to.contains(*s))));
    let way = |start: &&'a str| {
        let mut way = vec![*start];
        for level in deep.iter().rev().skip(1) {
            let next =
                way.last().and_then(|at| graph.get(at)).and_then(|to| to.iter().find(|t| level.contains(*t)));
            way.extend(next);
        }
        way
    };
    outer.map(way).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph<'a>(edges: &[(&'a str, &'a str)]) -> Graph<'a> {
        let mut graph = Graph::new();
        for (from, to) in edges {
            graph.entry(*from).or_default().insert(*to);
            graph.entry(*to).or_default();
        }
        graph
    }

    #[test]
    fn circles_are_found_and_what_leads_to_them_is_not_in_them() {
        let found =
            circles(&graph(&[("z", "b"), ("b", "a"), ("a", "c"), ("c", "b"), ("x", "x"), ("a", "end")]));
        assert_eq!(found, [vec!["a", "c", "b"], vec!["x"]]);
        assert_eq!(shown(&found[0]), "a -> c -> b -> a");
        assert!(circles(&graph(&[("a", "b"), ("b", "c"), ("a", "c")])).is_empty());
    }

    #[test]
    fn a_chain_is_too_long_by_its_steps() {
        let g = graph(&[("a", "b"), ("b", "c"), ("c", "d"), ("x", "c")]);
        assert_eq!(chains(&g, 2), [vec!["a", "b", "c", "d"]]);
        assert!(chains(&g, 3).is_empty());
    }
}
