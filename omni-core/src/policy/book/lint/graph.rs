//! Circles and chains in what names what.

use std::collections::{BTreeMap, BTreeSet};

/// Which names lead to which.
pub(super) type Graph<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// Circles, each as the names on the way round, beginning with its first in order. Every name that is on a circle is
/// in one of them. Nothing here recurses, and no name is looked at again and again: a book may be long.
pub(super) fn circles<'a>(graph: &Graph<'a>) -> Vec<Vec<&'a str>> {
    let mut left = Left::of(graph);
    let mut found = Vec::new();
    // Whatever leads nowhere is taken out, so from any of the rest one gets on, always, and so around.
    while let Some(start) = left.alive.first().copied() {
        let mut way = vec![start];
        let mut places = BTreeMap::from([(start, 0)]);
        let mut at = start;
        while let Some(next) = left.next(at) {
            if let Some(begin) = places.get(next) {
                way.drain(..*begin);
                break;
            }
            places.insert(next, way.len());
            way.push(next);
            at = next;
        }
        left.take(&way);
        let first = way.iter().enumerate().min_by_key(|(_, name)| **name).map_or(0, |(i, _)| i);
        way.rotate_left(first);
        found.push(way);
    }
    found
}

/// Names that lead to others, for ever.
struct Left<'g, 'a> {
    graph: &'g Graph<'a>,
    alive: BTreeSet<&'a str>,
    /// Who leads to a name.
    before: BTreeMap<&'a str, Vec<&'a str>>,
    /// To how many that are left a name leads.
    onward: BTreeMap<&'a str, usize>,
}

impl<'g, 'a> Left<'g, 'a> {
    fn of(graph: &'g Graph<'a>) -> Self {
        let mut before: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut onward = BTreeMap::new();
        for (from, to) in graph {
            let known = to.iter().filter(|to| graph.contains_key(*to));
            onward.insert(*from, known.clone().count());
            known.for_each(|to| before.entry(*to).or_default().push(*from));
        }
        let mut left = Self { graph, alive: graph.keys().copied().collect(), before, onward };
        let dead: Vec<&str> =
            left.onward.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect();
        left.take(&dead);
        left
    }

    /// Takes names out, and all that then lead nowhere.
    fn take(&mut self, names: &[&'a str]) {
        let mut dead = names.to_vec();
        while let Some(name) = dead.pop() {
            if !self.alive.remove(name) {
                continue;
            }
            for before in self.before.get(name).into_iter().flatten() {
                let Some(count) = self.onward.get_mut(before) else { continue };
                *count = count.saturating_sub(1);
                if *count == 0 {
                    dead.push(*before);
                }
            }
        }
    }

    fn next(&self, from: &str) -> Option<&'a str> {
        self.graph.get(from)?.iter().find(|to| self.alive.contains(*to)).copied()
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
