//! Agents, teams, bots.

use std::collections::BTreeSet;

use super::graph::{Graph, circles, shown};
use super::{At, FindingKind, Lint};
use crate::policy::book::{Distribution, Team};

impl<'a> Lint<'a> {
    pub(super) fn agents(&mut self, at: &At) {
        for (name, agent) in &self.book.agents {
            let at = at.key(name.as_str());
            if agent.capacity == Some(0) {
                let message =
                    "with a capacity of 0 nothing is ever given to them: leave it out for any number";
                self.add(FindingKind::NoCapacity, &at.key("capacity"), message);
            }
            for (channel, most) in &agent.capacity_of {
                let at = at.keys(["capacity_of", channel.as_str()]);
                self.channel_name(&at, channel);
                if *most == 0 {
                    let message = "with a capacity of 0 nothing of this channel is ever given to them";
                    self.add(FindingKind::NoCapacity, &at, message);
                }
            }
            for (i, skill) in agent.skills.iter().enumerate() {
                self.words(&at.key("skills").index(i), skill, "this skill");
            }
            if !self.named.contains(name) && self.is_whole() && !self.book.teams.is_empty() {
                let message =
                    format!("`{name}` is in no team and named nowhere: add them to a team's members");
                self.add(FindingKind::IdleAgent, &at, message);
            }
        }
    }

    pub(super) fn teams(&mut self, at: &At) {
        for (name, team) in &self.book.teams {
            let at = at.key(name.as_str());
            self.members(&at.key("members"), team);
            self.handing_out(&at, team);
            for (key, period) in [("sticky", team.sticky), ("answer_within", team.answer_within)] {
                if let Some(period) = period {
                    self.period(&at.key(key), period, format_args!("`{key}` of zero never has an effect"));
                }
            }
            if let Some(overflow) = &team.overflow {
                let at = at.key("overflow");
                self.team(&at.key("to"), &overflow.to);
                self.period(
                    &at.key("after"),
                    overflow.after,
                    "nobody could ever take it before it overflows",
                );
            }
        }
        let graph: Graph<'_> = self
            .book
            .teams
            .iter()
            .map(|(name, team)| (name.as_str(), team.overflow.iter().map(|o| o.to.as_str()).collect()))
            .collect();
        for circle in circles(&graph) {
            let first = circle.first().copied().unwrap_or_default();
            let message = match circle.len() {
                1 => format!("`{first}` overflows to itself: name another team"),
                _ => format!(
                    "teams overflow in a circle, {}: let one of them keep what it has",
                    shown(&circle)
                ),
            };
            self.add(FindingKind::OverflowCycle, &at.keys([first, "overflow", "to"]), message);
        }
    }

    fn members(&mut self, at: &At, team: &'a Team) {
        if team.members.is_empty() {
            let message = "nobody is in this team, so nobody ever answers what it gets: add agents";
            self.add(FindingKind::EmptyTeam, at, message);
        }
        let mut seen = BTreeSet::new();
        for (i, agent) in team.members.iter().enumerate() {
            let at = at.index(i);
            self.agent(&at, agent);
            if !seen.insert(agent) {
                self.add(
                    FindingKind::RepeatedMember,
                    &at,
                    format!("`{agent}` is in this team twice: take one out"),
                );
            }
        }
        if team.answer_within.is_some() && seen.len() == 1 {
            let message = "the only member would get back at once what is taken away from them: add members, or leave \
                           `answer_within` out";
            self.add(FindingKind::LoneMember, at, message);
        }
    }

    fn handing_out(&mut self, at: &At, team: &Team) {
        let idle: &[(&str, bool)] = match team.distribution {
            Distribution::AllSee => &[
                ("sticky", team.sticky.is_some()),
                ("answer_within", team.answer_within.is_some()),
                ("relax_skills", team.relax_skills.is_some()),
            ],
            Distribution::Pull => &[("sticky", team.sticky.is_some())],
            _ => &[],
        };
        for (key, _) in idle.iter().filter(|(_, is_set)| *is_set) {
            let message = format!(
                "`{key}` has no effect where nothing is handed out: set `distribution` to \"round_robin\" or the like"
            );
            self.add(FindingKind::NotHandedOut, &at.key(key), message);
        }
    }

    pub(super) fn bots(&mut self, at: &At) {
        for (name, bot) in &self.book.bots {
            let at = at.key(name.as_str());
            self.period(&at.key("timeout"), bot.timeout, "a bot that may not think at all never answers");
            if let Some(team) = &bot.hand_over {
                self.team(&at.key("hand_over"), team);
            }
        }
    }
}
