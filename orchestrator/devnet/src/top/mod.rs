//! A live view of one network on a whole terminal, with keys that hurt and heal
//! it: `devnet top`.
//!
//! ```text
//! nodes ── look ──► Seen ──┐
//! logs  ── feed ──► lines ─┼──► State ──► draw ──► terminal
//! keys  ── key ─────────────┘      │
//!                       └► Order ──┴──► act ──► order (the verbs' own way)
//! ```
//!
//! `draw` and `key` are pure: what is shown follows from the state, and what a
//! key means from state and key. Must never import a verb.

pub mod act;
pub mod branches;
mod chains;
pub mod draw;
mod feed;
pub mod key;
mod look;
pub mod screen;
pub mod seen;
pub mod state;

use std::convert::Infallible;
use std::time::Duration;

use crossterm::event::Event;
use futures::FutureExt as _;
use futures::future::{BoxFuture, LocalBoxFuture};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::Instant;

use self::act::perform;
use self::draw::{Theme, draw};
use self::feed::Feed;
use self::key::{Step, press};
use self::look::Looker;
use self::screen::Screen;
use self::seen::Seen;
use self::state::{Outcome, State};
use crate::console::Console;
use crate::exit::Failure;
use crate::faults::Live;
use crate::world::World;

/// Lines of log do not redraw the screen more often than this.
const FRAME: Duration = Duration::from_millis(200);

/// What to watch, and how.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// Between two looks at the network.
    pub pause: Duration,
    /// Whether colours are shown.
    pub colour: bool,
}

/// Shows the network called `name` until the user quits, or `ended` is over.
/// The terminal is as it was afterwards, however it ends.
///
/// # Errors
/// There is no such network, its engine does not answer, or the terminal cannot
/// be drawn to.
pub async fn run(
    world: &World,
    name: &str,
    wish: Wish,
    ended: BoxFuture<'_, ()>,
) -> Result<(), Failure> {
    let live = Live::attach(world, name).await?;
    let quiet = World {
        console: Console::SILENT,
        ..world.clone()
    };
    let (mut screen, keys) = Screen::enter().map_err(|error| screen::cannot(&error))?;
    tokio::select! {
        outcome = watch(&quiet, &live, wish, &mut screen, keys) => outcome,
        () = ended => Ok(()),
        () = hangup() => Ok(()),
    }
}

/// The terminal's window was closed, or somebody says so.
async fn hangup() {
    let heard = match signal(SignalKind::hangup()) {
        Ok(mut signals) => signals.recv().await,
        Err(_) => None,
    };
    if heard.is_none() {
        std::future::pending::<()>().await;
    }
}

/// What happened, of all that is waited for.
enum Happened {
    Input(Option<Event>),
    Looked(Box<Seen>),
    Logged,
    Acted(Outcome),
    Waiting(Option<String>),
    FrameDue,
}

async fn watch(
    world: &World,
    live: &Live,
    wish: Wish,
    screen: &mut Screen,
    mut keys: mpsc::UnboundedReceiver<Event>,
) -> Result<(), Failure> {
    let theme = Theme::new(wish.colour);
    let mut state = State::new(live.name(), live.engine().kind());
    let mut feed = Feed::new(live);
    let (sender, mut looks) = mpsc::channel(1);
    let mut looking = std::pin::pin!(look_on(world, live, wish.pause, sender));
    let (busy, mut told) = mpsc::unbounded_channel();
    let mut acting: Option<LocalBoxFuture<'_, Outcome>> = None;
    let mut shown_at = Instant::now();
    let mut is_stale = true;
    loop {
        if is_stale {
            screen
                .draw(|frame| draw(frame, &state, theme))
                .map_err(|error| screen::cannot(&error))?;
            (shown_at, is_stale) = (Instant::now(), false);
        }
        let happened = tokio::select! {
            input = keys.recv() => Happened::Input(input),
            Some(seen) = looks.recv() => Happened::Looked(seen),
            Some(who) = told.recv() => Happened::Waiting(who),
            () = feed.next(&mut state) => Happened::Logged,
            outcome = ongoing(&mut acting) => Happened::Acted(outcome),
            () = tokio::time::sleep_until(shown_at + FRAME), if state.is_dirty => Happened::FrameDue,
            never = &mut looking => match never {},
        };
        match happened {
            // The terminal is gone, and there is nobody left to show anything.
            Happened::Input(None) => return Ok(()),
            Happened::Input(Some(Event::Key(key))) => match press(&mut state, key) {
                Step::Stay => {}
                Step::Quit => return Ok(()),
                Step::Do(order) => {
                    state.begin(&order);
                    let busy = busy.clone();
                    let waiting = move |who| drop(busy.send(who));
                    acting = Some(perform(world, live, order, waiting).boxed_local());
                }
            },
            Happened::Input(Some(_)) | Happened::FrameDue => {}
            Happened::Looked(seen) => {
                feed.see(&state.seen, &seen);
                state.see(*seen);
            }
            Happened::Logged => {
                state.is_dirty = true;
                continue;
            }
            Happened::Waiting(who) => state.wait(who),
            Happened::Acted(outcome) => {
                acting = None;
                state.end(outcome);
            }
        }
        state.is_dirty = false;
        is_stale = true;
    }
}

/// Looks again and again.
async fn look_on(
    world: &World,
    live: &Live,
    pause: Duration,
    sender: mpsc::Sender<Box<Seen>>,
) -> Infallible {
    let mut looker = Looker::new(world, live);
    loop {
        let began = Instant::now();
        let seen = looker.look().await;
        if sender.send(Box::new(seen)).await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep_until(began + pause).await;
    }
}

/// The end of what goes on; never, where nothing does.
async fn ongoing(acting: &mut Option<LocalBoxFuture<'_, Outcome>>) -> Outcome {
    match acting {
        Some(acting) => acting.await,
        None => std::future::pending().await,
    }
}
