//! What a key means: it changes where the user is, or becomes an order.
//!
//! Orders that hurt wait for a yes. While one is on its way there is no other.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::seen::Node;
use super::state::{Order, State, is_frozen, is_up};

/// What is to be done after a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing but drawing.
    Stay,
    /// The view ends.
    Quit,
    /// The order is performed.
    Do(Order),
}

/// Every key and what it does, in the order they are explained.
pub const KEYS: &[(&str, &str)] = &[
    ("↑ ↓ Home End", "move between nodes"),
    ("space", "mark a node; a marks all, Esc none"),
    ("p", "partition the marked nodes from the rest"),
    ("h", "heal: take every fault out, start what is down"),
    ("k", "kill, or start what is down"),
    ("z", "pause, or thaw what is paused"),
    ("l", "log of the node under the cursor, and back"),
    ("?", "this help"),
    ("q Ctrl-C", "quit; faults stay until they are healed"),
];

/// Takes in a key.
pub fn press(state: &mut State, key: KeyEvent) -> Step {
    if key.kind == KeyEventKind::Release {
        return Step::Stay;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return match key.code {
            KeyCode::Char('c') => Step::Quit,
            _ => Step::Stay,
        };
    }
    if let Some(order) = state.asked.take() {
        return answer(state, order, key.code);
    }
    if state.is_help {
        state.is_help = false;
        return Step::Stay;
    }
    match key.code {
        KeyCode::Char('q') => return quit(state),
        KeyCode::Char('?') => state.is_help = true,
        KeyCode::Char('l') => state.is_log_of_one = !state.is_log_of_one,
        KeyCode::Esc => escape(state),
        KeyCode::Char(' ') => mark(state),
        KeyCode::Char('a') => {
            let nodes = state.seen.nodes.iter();
            state.marked = nodes.map(|node| node.name.clone()).collect();
        }
        KeyCode::Up => move_to(state, state.cursor.saturating_sub(1)),
        KeyCode::Down => move_to(state, state.cursor.saturating_add(1)),
        KeyCode::Home => move_to(state, 0),
        KeyCode::End => move_to(state, usize::MAX),
        KeyCode::Char(letter) => return order(state, letter),
        _ => {}
    }
    Step::Stay
}

/// The answer to "are you sure"; whatever is no yes is a no.
fn answer(state: &mut State, order: Order, key: KeyCode) -> Step {
    match key {
        KeyCode::Char('y' | 'Y') | KeyCode::Enter => Step::Do(order),
        _ => {
            state.tell(format!("{order}: left alone"));
            Step::Stay
        }
    }
}

/// Whoever leaves in the midst of an order is asked to say so twice.
fn quit(state: &mut State) -> Step {
    let Some(acting) = state.acting.clone().filter(|_| !state.is_leaving) else {
        return Step::Quit;
    };
    state.is_leaving = true;
    state.tell(format!(
        "{acting} is on its way; q again leaves it half done"
    ));
    Step::Stay
}

fn escape(state: &mut State) {
    if state.is_log_of_one {
        state.is_log_of_one = false;
    } else {
        state.marked.clear();
        state.message = None;
    }
}

fn mark(state: &mut State) {
    let Some(name) = state.under_cursor().map(|node| node.name.clone()) else {
        return;
    };
    if !state.marked.remove(&name) {
        state.marked.insert(name);
    }
    move_to(state, state.cursor.saturating_add(1));
}

fn move_to(state: &mut State, at: usize) {
    state.cursor = at.min(state.seen.nodes.len().saturating_sub(1));
}

/// The order that a letter stands for, if it can be given now.
fn order(state: &mut State, letter: char) -> Step {
    let Some(order) = planned(state, letter) else {
        return Step::Stay;
    };
    if let Some(acting) = state.acting.clone() {
        state.tell(format!("{acting} is on its way; wait until it is done"));
        return Step::Stay;
    }
    match order {
        Err(why) => state.tell(why),
        Ok(order) if order.hurts() => state.asked = Some(order),
        Ok(order) => return Step::Do(order),
    }
    Step::Stay
}

/// What the letter would do to the nodes that are meant, or why it cannot;
/// `None`: it stands for nothing.
fn planned(state: &State, letter: char) -> Option<Result<Order, String>> {
    let meant = state.meant();
    let names = |fits: &dyn Fn(&Node) -> bool| -> Vec<String> {
        let fitting = meant.iter().filter(|node| fits(node));
        fitting.map(|node| node.name.clone()).collect()
    };
    let all = names(&|_| true);
    if all.is_empty() && matches!(letter, 'p' | 'k' | 'z') {
        return Some(Err("no node is known yet".to_owned()));
    }
    Some(Ok(match letter {
        'h' => Order::Heal,
        'p' if all.len() == state.seen.nodes.len() => {
            return Some(Err(
                "all nodes are marked: there is no rest to cut them from".into(),
            ));
        }
        'p' => Order::Partition(all),
        'k' => match names(&is_up) {
            up if up.is_empty() => Order::Start(all),
            up => Order::Kill(up),
        },
        'z' => match (names(&is_frozen), names(&is_up)) {
            (frozen, _) if !frozen.is_empty() => Order::Unpause(frozen),
            (_, up) if up.is_empty() => {
                return Some(Err(format!("{} does not run; k starts it", all.join(", "))));
            }
            (_, up) => Order::Pause(up),
        },
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use devnet_blueprint::EngineKind;

    use super::*;
    use crate::top::seen::{Life, Seen};

    fn state(lives: &[Life]) -> State {
        let mut state = State::new("alpha", EngineKind::Process);
        let node = |(at, life): (usize, &Life)| Node {
            name: format!("n{at}"),
            life: *life,
            ..Node::default()
        };
        state.see(Seen {
            nodes: lives.iter().enumerate().map(node).collect(),
            ..Seen::default()
        });
        state
    }

    fn type_in(state: &mut State, text: &str) -> Vec<Step> {
        let keys = text.chars().map(|letter| match letter {
            'v' => KeyCode::Down,
            '^' => KeyCode::Up,
            '\n' => KeyCode::Enter,
            '!' => KeyCode::Esc,
            letter => KeyCode::Char(letter),
        });
        let press_one = |key| press(state, KeyEvent::new(key, KeyModifiers::NONE));
        let steps = keys.map(press_one);
        steps.filter(|step| *step != Step::Stay).collect()
    }

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|&name| name.to_owned()).collect()
    }

    const UP: Life = Life::Running;

    #[test]
    fn marked_nodes_are_cut_off_after_a_yes() {
        let mut state = state(&[UP, UP, UP]);
        assert_eq!(type_in(&mut state, "  p"), []);
        assert_eq!(state.asked, Some(Order::Partition(names(&["n0", "n1"]))));
        let order = Order::Partition(names(&["n0", "n1"]));
        assert_eq!(type_in(&mut state, "y"), [Step::Do(order)]);
        assert_eq!(state.asked, None);
    }

    #[test]
    fn whatever_is_no_yes_leaves_it_alone() {
        for no in ["n", "!", "q", "p", "v"] {
            let mut state = state(&[UP, UP]);
            assert_eq!(type_in(&mut state, &format!("k{no}")), [], "{no}");
            assert_eq!(state.asked, None);
            assert!(
                state
                    .message
                    .is_some_and(|told| told.text.contains("left alone"))
            );
        }
    }

    #[test]
    fn without_marks_the_node_under_the_cursor_is_meant() {
        let mut state = state(&[UP, Life::Down, Life::Paused]);
        assert_eq!(
            type_in(&mut state, "k\n"),
            [Step::Do(Order::Kill(names(&["n0"])))]
        );
        assert_eq!(
            type_in(&mut state, "vk"),
            [Step::Do(Order::Start(names(&["n1"])))]
        );
        assert_eq!(
            type_in(&mut state, "vz"),
            [Step::Do(Order::Unpause(names(&["n2"])))]
        );
        assert_eq!(type_in(&mut state, "^z"), []);
        assert!(
            state
                .message
                .is_some_and(|told| told.text.contains("does not run"))
        );
    }

    #[test]
    fn healing_and_starting_are_not_asked_for_twice() {
        let mut state = state(&[Life::Down]);
        assert_eq!(type_in(&mut state, "h"), [Step::Do(Order::Heal)]);
        assert_eq!(
            type_in(&mut state, "k"),
            [Step::Do(Order::Start(names(&["n0"])))]
        );
    }

    #[test]
    fn all_nodes_cannot_be_cut_from_the_rest() {
        let mut state = state(&[UP, UP]);
        assert_eq!(type_in(&mut state, "ap"), []);
        assert_eq!(state.asked, None);
        assert!(
            state
                .message
                .is_some_and(|told| told.text.contains("no rest"))
        );
    }

    #[test]
    fn one_order_at_a_time() {
        let mut state = state(&[UP, UP]);
        state.begin(&Order::Heal);
        assert_eq!(type_in(&mut state, "h"), []);
        assert_eq!(type_in(&mut state, "k"), []);
        assert_eq!(state.asked, None);
        assert_eq!(type_in(&mut state, "q"), []);
        assert_eq!(type_in(&mut state, "q"), [Step::Quit]);
    }

    #[test]
    fn ctrl_c_quits_whatever_is_asked() {
        let mut state = state(&[UP]);
        type_in(&mut state, "k");
        let ctrl_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(press(&mut state, ctrl_c), Step::Quit);
    }

    #[test]
    fn before_the_first_look_no_node_is_meant() {
        let mut state = state(&[]);
        assert_eq!(type_in(&mut state, " vpkz^"), []);
        assert!(
            state
                .message
                .is_some_and(|told| told.text.contains("no node"))
        );
    }

    #[test]
    fn the_cursor_stays_with_its_node() {
        let mut state = state(&[UP, UP, UP]);
        type_in(&mut state, "vv");
        let mut seen = state.seen.clone();
        seen.nodes.remove(0);
        state.see(seen.clone());
        assert_eq!(
            state.under_cursor().map(|node| node.name.as_str()),
            Some("n2")
        );
        seen.nodes.pop();
        state.see(seen);
        assert_eq!(state.cursor, 0);
    }
}
